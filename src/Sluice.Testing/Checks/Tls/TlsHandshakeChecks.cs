using System.Net.Sockets;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Tls;

/// <summary>TLS handshakes that come to nothing: silent, slow, oversized, cancelled, cut and refused ones.</summary>
internal static class TlsHandshakeChecks
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(50);

    [Check("TLS-013", "BUG-058")]
    public static async Task A_server_that_does_not_answer_is_given_up_at_the_deadline(KernelStage stage)
    {
        var (dialling, peer) = await TlsPeers.DialPlainAsync(stage, TestTls.Default.Client with { HandshakeTimeout = Short });

        var late = await Check.ThrowsAsync<SocketException>(() => dialling);

        Check.Equal(SocketError.ConnectionAborted, late.SocketErrorCode);
        Check.That(late.Message.Contains("longer than 0.05 s", StringComparison.Ordinal), late.Message);
        await peer.Lost;
    }

    [Check("TLS-014", "TLS-020", "BUG-058")]
    public static async Task A_cancelled_handshake_closes_the_connection_and_leaves_no_timer(KernelStage stage)
    {
        using var giveUp = new CancellationTokenSource();
        var (dialling, peer) = await TlsPeers.DialPlainAsync(stage, TestTls.Default.Client with { HandshakeTimeout = TimeSpan.FromSeconds(20) }, cancellation: giveUp.Token);
        await peer.WaitForBytesAsync(1);
        var deadline = stage.Loop.Time + TimeSpan.FromSeconds(20);

        giveUp.Cancel();

        await Check.ThrowsAsync<OperationCanceledException>(() => dialling);
        await peer.Lost;
        Check.That(stage.Loop.Core.NextTimer is not { } next || next > deadline, "the timer of the handshake is still there");
    }

    [Check("TLS-017", "BUG-060", "BUG-006")]
    public static async Task A_connection_that_is_lost_during_the_handshake_fails_the_connect(KernelStage stage)
    {
        foreach (var end in (Action<ITransport>[])[static peer => peer.Close(), static peer => peer.Abort()])
        {
            var peer = new RecordingProtocol();
            peer.OnData = _ => end(peer.Transport);
            var (dialling, _) = await TlsPeers.DialPlainAsync(stage, peer: peer);

            Check.Equal(SocketError.ConnectionReset, (await Check.ThrowsAsync<SocketException>(() => dialling)).SocketErrorCode);
            await peer.Lost;
        }
    }

    [Check("TLS-018", "TLS-019", "BUG-006", "BUG-055")]
    public static async Task A_client_that_speaks_no_TLS_is_dropped_silently_and_counted_no_more(KernelStage stage)
    {
        foreach (var debug in (bool[])[false, true])
        {
            stage.Loop.Debug = debug;
            var (reception, client) = await TlsPeers.ServePlainClientAsync(stage);
            client.Transport.Write("GET / HTTP/1.1\r\n\r\n"u8);

            await client.Lost;
            await stage.UntilAsync(() => reception.Server.ConnectionCount == 0);
            Check.Equal(0, reception.Served[0].Trace.Count);
            Check.Equal(debug ? 1 : 0, stage.Reports.Count);
            if (debug) Check.That(stage.ClaimReport().Message.StartsWith("Error on transport creation for incoming connection", StringComparison.Ordinal));
            reception.Server.Close();
            await reception.Server.WaitClosedAsync();
        }

        stage.Loop.Debug = false;
    }

    [Check("TLS-019")]
    public static async Task A_certificate_callback_that_throws_fails_its_handshake_and_is_reported(KernelStage stage)
    {
        var tls = TlsPeers.Server(static options =>
        {
            options.ServerCertificate = null;
            options.ServerCertificateSelectionCallback = static (_, _) => throw new FormatException("no certificate today");
        });
        var reception = await Reception.OpenAsync(stage, options: new ServerOptions { Tls = tls });

        await Check.ThrowsAsync<SocketException>(() =>
            stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), reception.Server.EndPoints[0], TlsPeers.ClientOptions));

        await stage.UntilAsync(() => reception.Server.ConnectionCount == 0);
        Check.That(stage.ClaimReport().Exception is FormatException);
        reception.Server.Close();
    }

    [Check("TLS-020", "BUG-058")]
    public static async Task A_server_gets_rid_of_connections_in_their_handshake(KernelStage stage)
    {
        foreach (var end in (Action<Server>[])[static server => server.CloseClients(), static server => server.AbortClients()])
        {
            var (reception, client) = await TlsPeers.ServePlainClientAsync(stage);
            reception.Server.Close();
            await stage.SettleAsync();
            Check.That(!reception.Server.WaitClosedAsync().IsCompleted, "a handshake is under way");

            end(reception.Server);

            await reception.Server.WaitClosedAsync();
            await client.Lost;
            Check.Equal(0, reception.Served[0].Trace.Count);
        }
    }

    [Check("BUG-059")]
    public static async Task The_deadline_counts_from_the_accept_however_often_a_byte_comes(KernelStage stage)
    {
        var (dialling, peer) = await TlsPeers.DialPlainAsync(stage);
        await peer.WaitForBytesAsync(100);
        var hello = peer.Received.ToArray();
        peer.Transport.Abort();
        await Check.ThrowsAsync<SocketException>(() => dialling);

        var (reception, client) = await TlsPeers.ServePlainClientAsync(stage, TestTls.Default.Server with { HandshakeTimeout = 4 * Short });
        var begin = stage.Loop.Time;
        for (var i = 0; i < hello.Length && !client.Lost.IsCompleted; i++)
        {
            client.Transport.Write(hello.AsSpan(i, 1));
            // The pace is what is tested: a byte again and again within the deadline.
            await Task.Delay(Short / 5, stage.Loop.TimeProvider);
        }

        await client.Lost;
        Check.That(stage.Loop.Time - begin < 30 * Short, "the deadline was moved by the bytes");
        Check.Equal(0, reception.Server.ConnectionCount);
        reception.Server.Close();
    }

    [Check("BUG-059")]
    public static async Task A_handshake_without_end_is_cut_off(KernelStage stage)
    {
        var (reception, client) = await TlsPeers.ServePlainClientAsync(stage);

        // A ClientHello of 16 MiB, in records of 16 KiB.
        byte[] record = [0x16, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff, .. new byte[0x4000 - 4]];
        for (var i = 0; i < 64 && !client.Transport.IsClosing; i++)
        {
            client.Transport.Write(record);
            await stage.SettleAsync();
        }

        await client.Lost;
        Check.Equal(0, reception.Server.ConnectionCount);
        reception.Server.Close();
    }

    [Check("BUG-052")]
    public static async Task Connections_beyond_the_handshakes_that_may_be_under_way_are_reset(KernelStage stage)
    {
        var (reception, silent) = await TlsPeers.ServePlainClientAsync(stage, TestTls.Default.Server with { MaxHandshakes = 1 });

        await Check.ThrowsAsync<SocketException>(() =>
            stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), reception.Server.EndPoints[0], TlsPeers.ClientOptions));
        Check.Equal(1L, reception.Server.RefusedConnectionCount);
        Check.That(stage.ClaimReport().Message.Contains("1 TLS handshakes", StringComparison.Ordinal));

        silent.Transport.Close();
        await stage.UntilAsync(() => reception.Server.ConnectionCount == 0);
        var (transport, _) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0], TlsPeers.ClientOptions);
        transport.Close();
        reception.Server.Close();
    }
}
