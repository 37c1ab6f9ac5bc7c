using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Serving;

/// <summary>A server's life: starting, closing, waiting, and what becomes of its connections.</summary>
internal static class ServerLifeChecks
{
    [Check("SRV-023", "SRV-024", "SRV-036")]
    public static async Task A_server_that_was_not_started_refuses_until_it_is(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: new ServerOptions { StartServing = false });
        Check.That(!reception.Server.IsServing && reception.Server.EndPoints.Count == 1);
        Check.That(ReferenceEquals(stage.Loop, reception.Server.Loop));
        await Check.ThrowsAsync<SocketException>(() => reception.DialAsync(reception.Server.EndPoints[0]));

        await reception.Server.StartServingAsync();
        Check.That(reception.Server.IsServing);
        await reception.Server.StartServingAsync();
        await (await reception.ConnectAsync()).CloseAsync();
        reception.Server.Close();
        await Check.ThrowsAsync<InvalidOperationException>(reception.Server.StartServingAsync);
    }

    [Check("SRV-029", "SRV-030")]
    public static async Task A_closed_server_has_no_sockets_and_leaves_its_connections_alone(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, RecordingProtocol.Echo);
        var pair = await reception.ConnectAsync();
        var address = reception.Server.EndPoints[0];

        reception.Server.Close();
        reception.Server.Close();

        Check.That(!reception.Server.IsServing);
        Check.Equal(0, reception.Server.Sockets.Count);
        Check.Equal(0, reception.Server.EndPoints.Count);
        await Check.ThrowsAsync<SocketException>(() => reception.DialAsync(address));
        pair.Client.Write(Payload.Of(100_000));
        await pair.ClientProtocol.WaitForBytesAsync(100_000);
        Check.Equal(1, reception.Server.ConnectionCount);
        await pair.CloseAsync();
        Check.Equal(0, reception.Server.ConnectionCount);
    }

    [Check("SRV-031")]
    public static async Task All_who_wait_are_told_when_it_is_closed_and_empty_in_this_order(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var early = reception.Server.WaitClosedAsync();
        var pair = await reception.ConnectAsync();
        var second = reception.Server.WaitClosedAsync();
        await stage.SettleAsync();
        Check.That(!early.IsCompleted && !second.IsCompleted, "it is open");

        reception.Server.Close();
        var late = reception.Server.WaitClosedAsync();
        await stage.SettleAsync();
        Check.That(!early.IsCompleted && !second.IsCompleted && !late.IsCompleted, "a connection lives");

        pair.Client.Close();
        await early;
        await second;
        await late;
        Check.Equal("ConnectionLost(null)", pair.ServerProtocol.Trace[^1]);
        Check.That(reception.Server.WaitClosedAsync().IsCompletedSuccessfully);
    }

    [Check("SRV-031", "SRV-032")]
    public static async Task All_who_wait_are_told_when_it_is_empty_and_closed_in_that_order(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        var early = reception.Server.WaitClosedAsync();
        await pair.CloseAsync();
        await stage.SettleAsync();
        Check.That(!early.IsCompleted, "it is open");

        reception.Server.Close();
        await early;

        // Both at once, and only then the wait.
        reception = await Reception.OpenAsync(stage);
        pair = await reception.ConnectAsync();
        stage.Loop.CallSoon(reception.Server.Close);
        stage.Loop.CallSoon(pair.Server.Close);
        await stage.PassesAsync(3);
        await reception.Server.WaitClosedAsync();
    }

    [Check("SRV-033")]
    public static async Task CloseClients_ends_all_connections_gracefully_and_within_two_passes(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        await reception.ConnectAsync();
        pair.Server.Write("farewell"u8);
        await pair.ClientProtocol.WaitForBytesAsync(8);
        reception.Server.Close();
        var closed = reception.Server.WaitClosedAsync();

        reception.Server.CloseClients();
        await stage.PassesAsync(2);

        Check.That(closed.IsCompletedSuccessfully);
        Check.That(await pair.ClientProtocol.Lost is null);
    }

    [Check("SRV-034")]
    public static async Task AbortClients_drops_what_is_stuck_and_ends_all_within_two_passes(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync(Congestion.NonReader());
        await Congestion.FillAsync(stage, pair.Server);
        reception.Server.Close();
        var closed = reception.Server.WaitClosedAsync();
        reception.Server.CloseClients();
        await stage.SettleAsync();
        Check.That(!closed.IsCompleted, "a graceful close waits for what is queued");

        reception.Server.AbortClients();
        Check.Equal(0, pair.Server.WriteBufferSize);
        await stage.PassesAsync(2);

        Check.That(closed.IsCompletedSuccessfully);
    }

    [Check("SRV-035")]
    public static async Task Await_using_closes_and_waits(KernelStage stage)
    {
        Reception reception;
        await using ((reception = await Reception.OpenAsync(stage)).Server)
        {
            var pair = await reception.ConnectAsync();
            stage.Loop.CallLater(TimeSpan.FromMilliseconds(1), pair.Client.Close);
        }

        Check.That(reception.Server.WaitClosedAsync().IsCompletedSuccessfully);
        Check.Equal(0, reception.Server.Sockets.Count);
        await reception.Server.DisposeAsync();
    }

    [Check("SRV-049")]
    public static async Task A_ConnectionLost_that_throws_keeps_nobody_waiting(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, static () => new RecordingProtocol { OnLost = static _ => throw new FormatException() });
        await reception.ConnectAsync();
        reception.Server.Close();
        reception.Server.CloseClients();

        await reception.Server.WaitClosedAsync();

        Check.Equal("Exception in callback protocol.ConnectionLost()", stage.ClaimReport().Message);
    }

    [Check("SRV-045")]
    public static async Task Closing_one_server_leaves_another_one_as_it_is(KernelStage stage)
    {
        var (first, second) = (await Reception.OpenAsync(stage), await Reception.OpenAsync(stage));
        var dialing = second.DialAsync(second.Server.EndPoints[0]);

        first.Server.Close();

        await dialing;
        await stage.UntilAsync(() => second.Served.Count == 1);
        second.Server.Close();
    }

    [Check("SRV-038")]
    public static async Task A_server_that_nobody_keeps_serves_and_can_be_collected_after_its_close(KernelStage stage)
    {
        var (server, address) = await ServeAndForgetAsync(stage);
        GC.Collect();
        var (transport, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address);
        transport.Write("there?"u8);
        await client.WaitForBytesAsync(6);
        transport.Close();
        await client.Lost;

        await CloseAsync(server);
        await stage.SettleAsync();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();

        Check.That(!server.IsAlive, "a closed server is still held");
    }

    [Check("SRV-039")]
    public static async Task Twenty_five_clients_exchange_much_at_the_same_time(KernelStage stage)
    {
        const int Clients = 25;
        // A simulation keeps every byte that was ever sent.
        var size = stage.Faults is null ? 1024 * 1024 : 64 * 1024;
        var reception = await Reception.OpenAsync(stage, () => new RecordingProtocol { OnMade = transport => transport.Write(Payload.Of(size)) });
        var begun = stage.Loop.Time;
        var connects = Enumerable.Range(0, Clients).Select(_ => reception.DialAsync(reception.Server.EndPoints[0])).ToArray();
        foreach (var connect in connects) (await connect).Transport.Write(Payload.Of(size));

        var sockets = new List<TransportSocket>();
        foreach (var connect in connects)
        {
            var (transport, client) = await connect;
            sockets.Add(transport.GetExtraInfo(ExtraInfo.Socket)!);
            await client.WaitForBytesAsync(size);
            Check.Bytes(Payload.Of(size), client.Received);
        }

        foreach (var served in reception.Served)
        {
            await served.WaitForBytesAsync(size);
            Check.Bytes(Payload.Of(size), served.Received);
            sockets.Add(served.Transport.GetExtraInfo(ExtraInfo.Socket)!);
        }

        Check.That(stage.Loop.Time - begun < TimeSpan.FromSeconds(5), $"it took {stage.Loop.Time - begun}");
        reception.Server.Close();
        reception.Server.CloseClients();
        await reception.Server.WaitClosedAsync();
        foreach (var connect in connects) await (await connect).Protocol.Lost;
        await stage.SettleAsync();
        Check.Equal(2 * Clients, sockets.Count(static socket => socket.Handle == -1));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<(WeakReference Server, EndPoint Address)> ServeAndForgetAsync(KernelStage stage)
    {
        var server = await stage.Loop.CreateServerAsync(() => stage.Watch(RecordingProtocol.Echo()), stage.CreateListenAddress());
        return (new WeakReference(server), server.EndPoints[0]);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task CloseAsync(WeakReference server)
    {
        var target = (Server)server.Target!;
        target.Close();
        return target.WaitClosedAsync();
    }
}
