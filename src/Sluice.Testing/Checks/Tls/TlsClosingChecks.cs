using System.Net.Sockets;
using Sluice.Testing.Checks.Streams;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Tls;

/// <summary>
/// How TLS connections end: goodbyes, peers that say none, and what broke. Where a pair is tapped, its own transports are the ones below.
/// </summary>
internal static class TlsClosingChecks
{
    [Check("TLS-029", "TLS-030", "TLS-054", "TLS-041", "TLS-036")]
    public static async Task A_close_sends_what_waits_and_then_both_sides_say_goodbye(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage);
        pair.Client.Write(Payload.Of(300_000));

        pair.Client.Close();
        Check.That(pair.Client.IsClosing);
        pair.Client.Close();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.That(await pair.ClientRecord.Lost is null);
        pair.Client.Close();
        pair.Client.Abort();

        Check.Bytes(Payload.Of(300_000), pair.ServerProtocol.Received);
        Check.Trace(pair.ServerRecord.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
        Check.That(stage.Loop.Core.NextTimer is not { } next || next > stage.Loop.Time + TlsOptions.DefaultShutdownTimeout - TimeSpan.FromSeconds(1) || stage.Faults is null);
    }

    [Check("TLS-028")]
    public static async Task One_side_alone_cannot_be_ended(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage);
        Check.That(!pair.Client.CanWriteEof);
        Check.Throws<NotSupportedException>(pair.Client.WriteEof);
        pair.Client.Write("still open"u8);
        await pair.ServerProtocol.WaitForBytesAsync(10);
    }

    [Check("TLS-031")]
    public static async Task To_keep_open_after_the_end_has_no_effect_and_is_warned_of(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage, static () => new RecordingProtocol { OnEof = static () => true });

        pair.Server.Close();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
        Check.Equal(1, stage.Warnings.Count(static warning => warning.Contains("no effect over TLS", StringComparison.Ordinal)));
    }

    [Check("TLS-034", Needs = CheckNeeds.VirtualTime)]
    public static async Task An_answer_that_waits_when_the_peer_says_goodbye_is_still_sent(KernelStage stage)
    {
        // The peer reads on after its goodbye, so that its own transport counts what comes.
        var (pair, client, server) = await TlsPeers.TapAsync(stage, server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, client, 150_000);
        server.Close();
        await stage.PassesAsync(10);

        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Equal(0, client.WriteBufferSize);
        Check.That(written > 0);
    }

    [Check("TLS-035", "BUG-057", Needs = CheckNeeds.VirtualTime)]
    public static async Task A_peer_that_never_answers_the_goodbye_is_waited_for_3_seconds(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage, server: Congestion.NonReader);
        var begin = stage.Loop.Time;

        pair.Client.Close();

        var reason = await pair.ClientRecord.Lost;
        Check.That(reason is TimeoutException && reason.Message.Contains("TLS shutdown timed out", StringComparison.Ordinal), $"lost with {reason}");
        var took = stage.Loop.Time - begin;
        Check.That(took >= TlsOptions.PeerShutdownTimeout && took < TlsOptions.PeerShutdownTimeout + TimeSpan.FromSeconds(1), $"it took {took}");
    }

    [Check("TLS-035", "BUG-057", Needs = CheckNeeds.VirtualTime)]
    public static async Task A_peer_that_does_not_read_what_waits_is_cut_off_in_time(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage, server: Congestion.NonReader, clientTls: TestTls.Default.Client with { ShutdownTimeout = TimeSpan.FromSeconds(20) });
        await Congestion.OverfillAsync(stage, pair.Client);
        var begin = stage.Loop.Time;

        pair.Client.Close();

        Check.That(await pair.ClientRecord.Lost is TimeoutException);
        Check.Equal(20, (int)(stage.Loop.Time - begin).TotalSeconds);
    }

    [Check("TLS-035", "BUG-057", Needs = CheckNeeds.VirtualTime)]
    public static async Task A_short_shutdown_timeout_also_bounds_the_wait_for_the_peer_s_goodbye(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage, server: Congestion.NonReader, clientTls: TestTls.Default.Client with { ShutdownTimeout = TimeSpan.FromSeconds(1) });
        var begin = stage.Loop.Time;

        pair.Client.Close();

        Check.That(await pair.ClientRecord.Lost is TimeoutException);
        Check.That(stage.Loop.Time - begin < TimeSpan.FromSeconds(1.5), $"it took {stage.Loop.Time - begin}");
    }

    [Check("BUG-057")]
    public static async Task A_peer_that_never_stops_sending_does_not_keep_a_close_waiting(KernelStage stage)
    {
        const int FarMoreThanIsDropped = 16 * 1024 * 1024;
        var sent = 0;
        RecordingProtocol? sender = null;
        var pair = await TlsPeers.ConnectAsync(stage, server: () => sender = new RecordingProtocol { OnMade = static transport => transport.PauseReading(), OnResume = Send });

        // It does not even see the goodbye.
        Send();

        pair.Client.Close();

        Check.That(await pair.ClientRecord.Lost is null);
        await pair.ServerRecord.Lost;
        Check.That(sent < FarMoreThanIsDropped, "the close read and dropped without end");

        void Send()
        {
            for (; !sender!.Record.IsWritingPaused && !sender.Transport.IsClosing && sent < FarMoreThanIsDropped; sent += 100_000) sender.Transport.Write(new byte[100_000]);
        }
    }

    [Check("TLS-039")]
    public static async Task What_comes_after_the_own_goodbye_is_dropped_without_an_error(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage);

        pair.Client.Close();
        pair.Server.Write(Payload.Of(50_000));

        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("TLS-040")]
    public static async Task An_abort_says_no_goodbye(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage);

        pair.Client.Abort();
        Check.That(pair.Client.IsClosing && !pair.ClientRecord.Lost.IsCompleted);

        Check.That(await pair.ClientRecord.Lost is null);
        var reason = await pair.ServerRecord.Lost;
        Check.That(reason is SocketException { SocketErrorCode: SocketError.ConnectionReset } or TlsTruncatedException, $"lost with {reason}");
        Check.That(!pair.ServerProtocol.Trace.Contains("EofReceived"), "an abort was taken for an end");
    }

    [Check("BUG-056", "TLS-032", "BUG-062")]
    public static async Task An_end_without_goodbye_is_no_end(KernelStage stage)
    {
        var (pair, client, server) = await TlsPeers.TapAsync(stage);
        client.Write("the beginning"u8);
        await pair.ServerProtocol.WaitForBytesAsync(13);

        pair.Client.Close();
        await stage.PassesAsync(1);
        Check.That(client.IsClosing, "its connection is closed below, and it does not know");

        Check.That(await pair.ServerRecord.Lost is TlsTruncatedException);
        Check.Trace(pair.ServerRecord.Shape, "ConnectionMade", "DataReceived", "ConnectionLost(TlsTruncatedException)");
        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(server.IsClosing);
    }

    [Check("BUG-056", "TLS-032")]
    public static async Task An_end_without_goodbye_is_one_for_those_who_allow_it(KernelStage stage)
    {
        var (pair, client, _) = await TlsPeers.TapAsync(stage, clientTls: TestTls.Default.Client with { AllowTruncation = true });

        pair.Server.Close();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
        await pair.ServerRecord.Lost;
    }

    [Check("TLS-046")]
    public static async Task Bytes_that_are_no_TLS_end_the_connection_with_an_error(KernelStage stage)
    {
        var (pair, client, _) = await TlsPeers.TapAsync(stage);

        // A record of application data, of which no byte is what it should be.
        pair.Client.Write([0x17, 3, 3, 0, 32, .. new byte[32]]);

        var reason = await pair.ServerRecord.Lost;
        Check.That(reason is IOException and not TlsTruncatedException or System.Security.Authentication.AuthenticationException, $"lost with {reason}");
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", $"ConnectionLost({ProtocolRecord.Describe(reason)})");
        client.Abort();
    }

    [Check("TLS-042")]
    public static async Task An_exception_in_DataReceived_ends_the_connection_with_it(KernelStage stage)
    {
        var exception = new FormatException("bad data");
        var pair = await TlsPeers.ConnectAsync(stage, () => new RecordingProtocol { OnData = _ => throw exception });

        pair.Server.Write("x"u8);

        Check.That(ReferenceEquals(exception, await pair.ClientRecord.Lost));
        var report = stage.ClaimReport();
        Check.That(ReferenceEquals(exception, report.Exception) && report.Message.StartsWith("Fatal error", StringComparison.Ordinal));
        await pair.ServerRecord.Lost;
    }

    [Check("TLS-043")]
    public static async Task An_exception_in_ConnectionMade_is_reported_and_the_connection_lives(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage, static () => new RecordingProtocol { OnMade = static _ => throw new FormatException("not yet") });

        Check.That(stage.ClaimReport().Exception is FormatException);
        pair.Server.Write("alive"u8);
        await pair.ClientProtocol.WaitForBytesAsync(5);
    }

    [Check("TLS-044")]
    public static async Task An_exception_in_EofReceived_ends_the_connection_with_it(KernelStage stage)
    {
        var exception = new FormatException("no end");
        var pair = await TlsPeers.ConnectAsync(stage, () => new RecordingProtocol { OnEof = () => throw exception });

        pair.Server.Close();

        Check.That(ReferenceEquals(exception, await pair.ClientRecord.Lost));
        Check.That(ReferenceEquals(exception, stage.ClaimReport().Exception));
        await pair.ServerRecord.Lost;
    }

    [Check("BUG-062")]
    public static async Task A_connection_that_breaks_below_is_lost_with_the_reason(KernelStage stage)
    {
        var (pair, client, server) = await TlsPeers.TapAsync(stage);

        pair.Server.Abort();

        var reason = await pair.ClientRecord.Lost;
        Check.That(reason is SocketException { SocketErrorCode: SocketError.ConnectionReset } or TlsTruncatedException, $"lost with {reason}");
        Check.That(client.IsClosing && server.IsClosing);
        Check.That(await pair.ServerRecord.Lost is null);
    }

    [Check("TLS-029", "SRV-033")]
    public static async Task A_server_closes_aborts_and_drains_its_TLS_connections(KernelStage stage)
    {
        foreach (var end in (Func<Server, Task>[])
        [
            static server => Do(server.CloseClients),
            static server => Do(server.AbortClients),
            static server => server.DrainAsync(TimeSpan.FromSeconds(10)),
        ])
        {
            var reception = await Reception.OpenAsync(stage, Draining, TlsPeers.ServerOptions);
            var (_, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0], TlsPeers.ClientOptions);
            await stage.UntilAsync(() => reception.Served is [{ Record.Made.IsCompleted: true }]);
            reception.Server.Close();

            await end(reception.Server);

            await reception.Server.WaitClosedAsync();
            Check.Equal("ConnectionLost(null)", reception.Served[0].Trace[^1]);
            await client.Lost;
        }

        static RecordingProtocol Draining()
        {
            var protocol = new RecordingProtocol();
            protocol.OnDrain = () => protocol.Transport.Close();
            return protocol;
        }

        static Task Do(Action action)
        {
            action();
            return Task.CompletedTask;
        }
    }
}
