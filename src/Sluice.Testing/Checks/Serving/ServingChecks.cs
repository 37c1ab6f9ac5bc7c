using System.Net.Sockets;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Servers under adversity: connections that arrive while the server closes, connects that are given up, arguments that cannot be.</summary>
internal static class ServingChecks
{
    [Check("BUG-040")]
    public static async Task A_server_that_closes_while_connections_arrive_lets_the_late_ones_go(KernelStage stage)
    {
        for (var passes = 0; passes < 12; passes++)
        {
            var listener = await stage.Loop.CreateServerAsync(() => stage.Watch(new RecordingProtocol()), stage.CreateListenAddress());
            var address = listener.EndPoints[0];
            var connects = Enumerable.Range(0, 20)
                .Select(_ => stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address)).ToArray();

            await stage.PassesAsync(passes);
            listener.Close();

            // Some are served, some are accepted by the kernel only and reset, some come too late.
            foreach (var connect in connects)
            {
                try
                {
                    var (transport, protocol) = await connect;
                    transport.Close();
                    await protocol.Lost;
                }
                catch (SocketException refused)
                {
                    Check.That(
                        refused.SocketErrorCode is SocketError.ConnectionRefused or SocketError.ConnectionReset or SocketError.AddressNotAvailable,
                        $"refused with {refused.SocketErrorCode}");
                }
            }

            await listener.WaitClosedAsync();
        }
    }

    [Check("BUG-006", "BUG-040")]
    public static async Task A_connection_that_is_closed_before_it_is_made_ends_without_a_callback(KernelStage stage)
    {
        foreach (var close in (Action<Server>[])[static server => server.CloseClients(), static server => server.AbortClients()])
        {
            Server? listener = null;
            var served = new RecordingProtocol();
            listener = await stage.Loop.CreateServerAsync(
                () =>
                {
                    // This turn comes between the transport's birth and its ConnectionMade.
                    stage.Loop.CallSoon(() => close(listener!));
                    return served;
                },
                stage.CreateListenAddress());

            var (_, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), listener.EndPoints[0]);
            await client.Lost;
            listener.Close();
            await listener.WaitClosedAsync();
            await stage.SettleAsync();

            Check.Trace(served.Trace);
        }
    }

    [Check("BUG-006", "BUG-044", "BUG-045")]
    public static async Task A_cancelled_connect_ends_and_harms_nobody(KernelStage stage)
    {
        var bystander = await stage.ConnectAsync(server: RecordingProtocol.Echo);
        var listener = await stage.Loop.CreateServerAsync(() => stage.Watch(new RecordingProtocol()), stage.CreateListenAddress());
        var cancelled = new List<RecordingProtocol>();
        for (var i = 0; i < 50; i++)
        {
            using var giveUp = new CancellationTokenSource();
            var client = new RecordingProtocol();
            var connect = stage.Loop.CreateConnectionAsync(() => client, listener.EndPoints[0], cancellationToken: giveUp.Token);
            var next = stage.ConnectAsync();
            await stage.PassesAsync(i % 4);
            giveUp.Cancel();

            try
            {
                (await connect).Transport.Abort();
                Check.That(await client.Lost is null);
            }
            catch (OperationCanceledException)
            {
                cancelled.Add(client);
            }

            await (await next).CloseAsync();
            bystander.Client.Write("x"u8);
            await bystander.ClientProtocol.WaitForBytesAsync(i + 1);
        }

        await stage.SettleAsync();
        Check.That(cancelled.Count > 0, "no connect was cancelled in time");
        Check.That(cancelled.TrueForAll(static client => client.Trace.Count == 0), "a cancelled connect called its protocol");
        listener.Close();
    }

    [Check("BUG-050")]
    public static Task A_port_that_cannot_be_is_refused_at_the_call(KernelStage stage)
    {
        foreach (var port in (int[])[-1, 65_536, 70_000])
        {
            Check.Throws<ArgumentOutOfRangeException>(() => { _ = stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), "localhost", port); });
            Check.Throws<ArgumentOutOfRangeException>(() => { _ = stage.Loop.CreateServerAsync(() => new RecordingProtocol(), "localhost", port); });
        }

        return Task.CompletedTask;
    }
}
