using System.Net;
using System.Net.Sockets;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Serving;

/// <summary>A full server that lets the connection go that has been idle for longest, for a new one.</summary>
internal static class IdleReplacementChecks
{
    private const int Limit = 16;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static readonly ServerOptions Options = new() { MaxConnections = Limit, ReplaceIdleAfter = Minute };

    [Check("SRV-072", "BUG-052")]
    public static async Task A_crowd_of_silent_peers_locks_nobody_out(KernelStage stage)
    {
        const int Crowd = 18;
        var reception = await Reception.OpenAsync(stage, options: Options);
        for (var i = 0; i < Crowd; i++)
        {
            await ConnectAsync(stage, reception);
            await stage.PassTimeAsync(2 * Minute);
        }

        Check.Equal(Limit, reception.Server.ConnectionCount);
        Check.Equal(Crowd - Limit, (int)reception.Server.ReplacedConnectionCount);
        Check.Equal(0L, reception.Server.RefusedConnectionCount);
        var live = await reception.ConnectAsync();
        live.Client.Write("served"u8);
        await live.ServerProtocol.WaitForBytesAsync(6);
        for (var i = 0; i < reception.Served.Count; i++)
        {
            if (i > Crowd - Limit) Check.That(!reception.Served[i].Lost.IsCompleted, $"connection {i} is not the oldest");
            else Check.That(await reception.Served[i].Lost is ConnectionLimitException { Limit: ConnectionLimit.MaxConnections });
        }

        reception.Server.Close();
    }

    [Check("SRV-072")]
    public static async Task The_one_that_has_been_idle_for_longest_goes_first(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: Options);
        var clients = new List<ITransport>();
        for (var i = 0; i < Limit; i++) clients.Add(await ConnectAsync(stage, reception));

        // Heard of in the order 5, 6, … 15, 0, 1, … 4.
        for (var i = 0; i < Limit; i++)
        {
            await stage.PassTimeAsync(0.1 * Minute);
            var number = (i + 5) % Limit;
            clients[number].Write("x"u8);
            await reception.Served[number].WaitForBytesAsync(1);
        }

        await stage.PassTimeAsync(2 * Minute);
        for (var i = 0; i < Limit; i++)
        {
            await ConnectAsync(stage, reception);
            var number = (i + 5) % Limit;
            Check.That(await reception.Served[number].Lost is ConnectionLimitException, $"connection {number} was to go");
            Check.Equal(i + 1, reception.Served.Count(static served => served.Lost.IsCompleted));
        }

        reception.Server.Close();
    }

    [Check("SRV-072")]
    public static async Task Where_none_has_been_idle_for_long_enough_the_new_one_is_reset(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: Options);
        for (var i = 0; i < Limit; i++) await ConnectAsync(stage, reception);
        await stage.PassTimeAsync(0.5 * Minute);

        for (var i = 0; i < 5; i++)
        {
            if (await TryDialAsync(stage, reception.Server.EndPoints[0]) is { } refused) await refused.Lost;
        }

        await stage.UntilAsync(() => reception.Server.RefusedConnectionCount == 5);
        stage.ClaimReport();
        Check.Equal(0L, reception.Server.ReplacedConnectionCount);
        Check.Equal(Limit, reception.Server.ConnectionCount);
        await stage.PassTimeAsync(Minute);
        await ConnectAsync(stage, reception);
        Check.Equal(1L, reception.Server.ReplacedConnectionCount);
        reception.Server.Close();
    }

    [Check("SRV-072", "BUG-052")]
    public static async Task Peers_that_never_begin_their_handshake_give_way_too(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: Options with { Tls = TestTls.Default.Server with { HandshakeTimeout = TimeSpan.FromHours(1), MaxHandshakes = 2 * Limit } });
        for (var i = 0; i < Limit; i++)
        {
            await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0]);
            await stage.UntilAsync(() => reception.Server.ConnectionCount == i + 1);
        }

        await stage.PassTimeAsync(2 * Minute);
        var (live, _) = await stage.Loop.CreateConnectionAsync(
            () => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0], new ConnectionOptions { Tls = TestTls.Default.Client });
        live.Write("served"u8);
        await stage.UntilAsync(() => reception.Served.Count == Limit + 1 && reception.Served[^1].Received.Length == 6);
        Check.Equal((1L, Limit), (reception.Server.ReplacedConnectionCount, reception.Server.ConnectionCount));
        Check.That(reception.Served.Take(Limit).All(static served => served.Trace.Count == 0), "a protocol heard of a connection that was never made");
        live.Abort();
        reception.Server.Close();
        reception.Server.AbortClients();
        await reception.Server.WaitClosedAsync();
    }

    private static async Task<ITransport> ConnectAsync(KernelStage stage, Reception reception)
    {
        var number = reception.Served.Count;
        var (transport, _) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0]);
        await stage.UntilAsync(() => reception.Served.Count > number);
        await reception.Served[number].Made;
        await stage.PassesAsync(2);
        return transport;
    }

    private static async Task<RecordingProtocol?> TryDialAsync(KernelStage stage, EndPoint address)
    {
        try
        {
            return (await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address)).Protocol;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
