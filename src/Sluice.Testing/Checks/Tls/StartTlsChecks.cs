using System.Net.Sockets;
using System.Security.Authentication;
using Sluice.Testing.Checks.Streams;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Tls;

/// <summary>Connections that become TLS on the way.</summary>
internal static class StartTlsChecks
{
    [Check("STARTTLS-001", "STARTTLS-004", "STARTTLS-010")]
    public static async Task The_same_protocols_go_on_over_new_transports(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: RecordingProtocol.Echo);
        pair.Client.Write("plain"u8);
        await pair.ClientProtocol.WaitForBytesAsync(5);
        pair.ServerProtocol.OnData = null;

        var (client, server) = await TlsPeers.UpgradeAsync(stage, pair);

        Check.That(!ReferenceEquals(client, pair.Client) && ReferenceEquals(pair.ClientProtocol, client.Protocol));
        Check.That(client.GetExtraInfo(ExtraInfo.Cipher) is not null && server.GetExtraInfo(ExtraInfo.Cipher) is not null);
        client.Write(Payload.Of(100_000));
        await pair.ServerProtocol.WaitForBytesAsync(100_005);
        Check.Bytes(Payload.Of(100_000), pair.ServerProtocol.Received[5..]);
        client.Close();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.That(await pair.ClientRecord.Lost is null);
        Check.Trace(pair.ServerRecord.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        Check.Trace(pair.ClientRecord.Shape, "ConnectionMade", "DataReceived", "ConnectionLost(null)");
    }

    [Check("STARTTLS-010")]
    public static async Task The_old_transport_refuses_and_still_closes(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        var (client, _) = await TlsPeers.UpgradeAsync(stage, pair);

        Check.Throws<InvalidOperationException>(() => pair.Client.Write("plain"u8));
        Check.Throws<InvalidOperationException>(() => pair.Client.WriteLines(["plain"u8.ToArray()]));
        Check.Throws<InvalidOperationException>(() => pair.Client.GetMemory());
        Check.Throws<InvalidOperationException>(pair.Client.WriteEof);
        Check.Throws<InvalidOperationException>(pair.Client.PauseReading);
        Check.Throws<InvalidOperationException>(() => pair.Client.SetProtocol(new RecordingProtocol()));
        Check.Throws<InvalidOperationException>(() => { _ = stage.Loop.StartTlsAsync(pair.Client, new RecordingProtocol(), TestTls.Default.Client); });
        Check.That(ReferenceEquals(pair.ClientProtocol, pair.Client.Protocol) && pair.Client.IsReading);

        pair.Client.Close();
        Check.That(client.IsClosing && pair.Client.IsClosing);
        Check.That(await pair.ClientRecord.Lost is null);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("STARTTLS-002")]
    public static async Task A_protocol_that_owns_its_buffer_goes_on_with_it(KernelStage stage)
    {
        RecordingBufferedProtocol? buffered = null;
        var pair = await stage.ConnectAsync(() => buffered = new RecordingBufferedProtocol(1000));
        var (client, server) = await TlsPeers.UpgradeAsync(stage, pair);
        server.Write(Payload.Of(50_000));
        await pair.ClientRecord.WaitForBytesAsync(50_000);
        Check.Bytes(Payload.Of(50_000), pair.ClientRecord.Received);

        var plain = new RecordingProtocol();
        var received = 0;
        plain.Record.CarryOn(client);
        plain.OnData = data => received += data.Length;
        client.SetProtocol(plain);
        server.Write("later"u8);
        await stage.UntilAsync(() => received == 5);
        client.SetProtocol(buffered!);
    }

    [Check("STARTTLS-005", "BUG-058", "BUG-065")]
    public static async Task A_cancelled_upgrade_closes_the_connection_and_tells_the_protocol_once(KernelStage stage)
    {
        using var giveUp = new CancellationTokenSource();
        var pair = await stage.ConnectAsync();
        var upgrade = stage.Loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client, cancellationToken: giveUp.Token);
        await pair.ServerProtocol.WaitForBytesAsync(1);

        giveUp.Cancel();

        await Check.ThrowsAsync<OperationCanceledException>(() => upgrade);
        Check.That(await pair.ClientRecord.Lost is null);
        await pair.ServerRecord.Lost;
        await stage.SettleAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("STARTTLS-008", "BUG-065", "BUG-060")]
    public static async Task A_failed_upgrade_closes_the_connection_and_tells_the_protocol_why(KernelStage stage)
    {
        foreach (var answer in (Action<ITransport>[])[static peer => peer.Write("no TLS here"u8), static peer => peer.Close(), static peer => peer.Abort()])
        {
            RecordingProtocol? peer = null;
            var pair = await stage.ConnectAsync(server: () => peer = new RecordingProtocol { OnData = _ => answer(peer!.Transport) });

            var failure = await Check.ThrowsAsync<Exception>(() => stage.Loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client));

            Check.That(failure is AuthenticationException or SocketException, $"failed with {failure}");
            Check.That(ReferenceEquals(failure, await pair.ClientRecord.Lost));
            await pair.ServerRecord.Lost;
            await stage.SettleAsync();
            Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", $"ConnectionLost({ProtocolRecord.Describe(failure)})");
        }
    }

    [Check("STARTTLS-008", "BUG-060")]
    public static async Task An_upgrade_behind_the_peer_s_end_fails_at_once(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingProtocol { OnEof = static () => true });
        pair.Client.WriteEof();
        await pair.ServerProtocol.WaitForEofAsync();

        var failure = await Check.ThrowsAsync<SocketException>(() => stage.Loop.StartTlsAsync(pair.Server, pair.ServerProtocol, TestTls.Default.Server));

        Check.Equal(SocketError.ConnectionReset, failure.SocketErrorCode, "the end is known: the deadline is not waited for");
        Check.That(ReferenceEquals(failure, await pair.ServerRecord.Lost));
        await pair.ClientRecord.Lost;
    }

    [Check("STARTTLS-013")]
    public static async Task The_deadline_of_the_handshake_holds(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();

        var late = await Check.ThrowsAsync<SocketException>(() =>
            stage.Loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client with { HandshakeTimeout = TimeSpan.FromMilliseconds(50) }));

        Check.Equal(SocketError.ConnectionAborted, late.SocketErrorCode);
        Check.That(ReferenceEquals(late, await pair.ClientRecord.Lost));
        await pair.ServerRecord.Lost;
    }

    [Check("STARTTLS-006", "STARTTLS-013")]
    public static async Task What_cannot_be_is_refused_at_the_call(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        var other = await stage.ConnectAsync();
        var loop = stage.Loop;
        Check.Throws<ArgumentNullException>(() => { _ = loop.StartTlsAsync(null!, pair.ClientProtocol, TestTls.Default.Client); });
        Check.Throws<ArgumentNullException>(() => { _ = loop.StartTlsAsync(pair.Client, null!, TestTls.Default.Client); });
        Check.Throws<ArgumentNullException>(() => { _ = loop.StartTlsAsync(pair.Client, pair.ClientProtocol, (TlsClientOptions)null!); });
        Check.Throws<ArgumentException>(() => { _ = loop.StartTlsAsync(pair.Client, other.ClientProtocol, TestTls.Default.Client); });
        Check.Throws<ArgumentException>(() => { _ = loop.StartTlsAsync(pair.Client, pair.ClientProtocol, new TlsClientOptions()); });
        Check.Throws<ArgumentOutOfRangeException>(() =>
        {
            _ = loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Server with { HandshakeTimeout = TimeSpan.Zero });
        });
        Check.That((await Check.ThrowsAsync<OperationCanceledException>(() =>
            loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client, cancellationToken: new CancellationToken(true)))).CancellationToken.IsCancellationRequested);

        pair.Client.Write("still plain"u8);
        await pair.ServerProtocol.WaitForBytesAsync(11);
        pair.Client.Close();
        Check.Throws<InvalidOperationException>(() => { _ = loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client); });
    }

    [Check("STARTTLS-007", "TLS-021")]
    public static async Task TLS_inside_TLS_carries_megabytes_and_ends_cleanly(KernelStage stage)
    {
        const int Size = 300_000;
        for (var i = 0; i < 25; i++)
        {
            var pair = await TlsPeers.ConnectAsync(stage, Congestion.NonReader, Congestion.NonReader);
            var (client, server) = await TlsPeers.UpgradeAsync(stage, pair);
            client.Write(Payload.Of(Size));
            server.Write(Payload.Of(Size));
            await pair.ClientProtocol.WaitForBytesAsync(Size);
            await pair.ServerProtocol.WaitForBytesAsync(Size);
            Check.Bytes(Payload.Of(Size), pair.ClientProtocol.Received);
            Check.Bytes(Payload.Of(Size), pair.ServerProtocol.Received);
            if (i % 2 == 0) client.Close();
            else client.Abort();
            var reason = await pair.ServerRecord.Lost;
            Check.That(i % 2 == 1 || reason is null, $"lost with {reason}");
            Check.That(await pair.ClientRecord.Lost is null);
        }
    }

    [Check("STARTTLS-009", "BUG-055")]
    public static async Task Nothing_that_belongs_to_TLS_reaches_the_protocol_in_between(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        pair.Server.PauseReading();
        var upgrading = stage.Loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client);
        await stage.PassesAsync(20);

        var server = await stage.Loop.StartTlsAsync(pair.Server, pair.ServerProtocol, TestTls.Default.Server with { HandOverUnread = true });
        var client = await upgrading;
        pair.ServerRecord.CarryOn(server);
        pair.ClientRecord.CarryOn(client);

        client.Write("protected"u8);
        await pair.ServerProtocol.WaitForBytesAsync(9);
        Check.Bytes("protected"u8, pair.ServerProtocol.Received);
    }

    [Check("STARTTLS-011")]
    public static async Task An_upgrade_while_writing_is_paused_resumes_it(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);
        Check.That(pair.ClientRecord.IsWritingPaused);
        var upgrading = stage.Loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client);
        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written);
        pair.Server.PauseReading();

        // The peer has read a piece of the handshake, which it hands over.
        var early = pair.ServerProtocol.Received[written..].ToArray();
        var server = await stage.Loop.StartTlsAsync(pair.Server, pair.ServerProtocol, TestTls.Default.Server with { HandOverUnread = true }, early);
        var client = await upgrading;
        pair.ServerRecord.CarryOn(server);
        pair.ClientRecord.CarryOn(client);

        await stage.UntilAsync(() => !pair.ClientRecord.IsWritingPaused);
        client.Write("on"u8);
        await pair.ServerProtocol.WaitForBytesAsync(written + early.Length + 2);
        Check.Bytes("on"u8, pair.ServerProtocol.Received[^2..]);
    }

    [Check("STARTTLS-014")]
    public static async Task Callbacks_keep_their_context(KernelStage stage)
    {
        var local = new AsyncLocal<string> { Value = "mine" };
        var seen = new List<string?>();
        var pair = await stage.ConnectAsync(() => new RecordingProtocol { OnData = _ => seen.Add(local.Value), OnLost = _ => seen.Add(local.Value) });
        local.Value = "another";
        var (client, server) = await TlsPeers.UpgradeAsync(stage, pair);

        server.Write("x"u8);
        await pair.ClientProtocol.WaitForBytesAsync(1);
        client.Close();
        await pair.ClientRecord.Lost;

        Check.That(seen.Count == 2 && seen.TrueForAll(static value => value == "mine"), string.Join(", ", seen));
    }

    [Check("BUG-053")]
    public static async Task Bytes_of_the_handshake_that_were_read_already_are_handed_over(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        var upgrading = stage.Loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client);
        await pair.ServerProtocol.WaitForBytesAsync(10);
        pair.Server.PauseReading();
        var hello = pair.ServerProtocol.Received.ToArray();

        var server = await stage.Loop.StartTlsAsync(pair.Server, pair.ServerProtocol, TestTls.Default.Server with { HandOverUnread = true }, hello);
        pair.ServerRecord.CarryOn(server);
        var client = await upgrading;
        pair.ClientRecord.CarryOn(client);

        client.Write("after"u8);
        await pair.ServerProtocol.WaitForBytesAsync(hello.Length + 5);
        Check.Bytes("after"u8, pair.ServerProtocol.Received[hello.Length..]);
    }

    [Check("BUG-054")]
    public static async Task Plain_bytes_that_nobody_has_read_fail_the_upgrade_and_are_never_delivered(KernelStage stage)
    {
        // Of a record that came in one piece the protocol takes the first byte: the others wait in the transport.
        RecordingBufferedProtocol? reader = null;
        var pair = await TlsPeers.ConnectAsync(stage, server: () => reader = new RecordingBufferedProtocol(1) { OnData = _ => reader!.Record.Transport!.PauseReading() });
        pair.Client.Write("S and an injected command"u8);
        await pair.ServerRecord.WaitForBytesAsync(1);

        var upgrading = stage.Loop.StartTlsAsync(pair.Server, reader!, TestTls.Default.Server);
        var failing = await Check.ThrowsAsync<Exception>(() => upgrading);

        Check.That(failing is AuthenticationException && failing.Message.Contains("nobody has read", StringComparison.Ordinal), $"failed with {failing}");
        Check.That(ReferenceEquals(failing, await pair.ServerRecord.Lost));
        Check.Bytes("S"u8, pair.ServerRecord.Received);
        await pair.ClientRecord.Lost;
    }

    [Check("BUG-054", "BUG-055")]
    public static async Task Plain_bytes_that_wait_in_the_kernel_are_TLS_or_nothing(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        pair.Server.PauseReading();
        pair.Client.Write("an injected command"u8);
        await stage.SettleAsync();

        await Check.ThrowsAsync<AuthenticationException>(() => stage.Loop.StartTlsAsync(pair.Server, pair.ServerProtocol, TestTls.Default.Server));

        Check.That(await pair.ServerRecord.Lost is AuthenticationException);
        Check.Equal(0, pair.ServerProtocol.Received.Length);
        await pair.ClientRecord.Lost;
    }

    [Check("STARTTLS-008", "SRV-033")]
    public static async Task An_upgraded_connection_still_belongs_to_its_server(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        await TlsPeers.UpgradeAsync(stage, pair);
        Check.Equal(1, reception.Server.ConnectionCount);
        reception.Server.Close();

        reception.Server.CloseClients();

        await reception.Server.WaitClosedAsync();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.That(await pair.ClientRecord.Lost is null);
    }
}
