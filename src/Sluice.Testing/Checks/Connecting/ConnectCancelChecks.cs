using System.Net;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>Connects that are given up at every instant.</summary>
internal static class ConnectCancelChecks
{
    private const int MostInstants = 1_000;

    [Check("CONN-020", "BUG-043", "BUG-044", "BUG-045")]
    public static Task A_connect_to_an_address_can_be_given_up_at_every_instant(KernelStage stage) =>
        GiveUpAtEveryInstantAsync(stage, (server, factory, token) =>
            stage.Loop.CreateConnectionAsync(factory, server.EndPoints[0], cancellationToken: token));

    [Check("CONN-020", "BUG-043", "BUG-044", "BUG-045", Needs = CheckNeeds.Tcp)]
    public static Task A_connect_to_a_name_can_be_given_up_at_every_instant(KernelStage stage)
    {
        IPAddress? refusing = null;
        return GiveUpAtEveryInstantAsync(stage, (server, factory, token) =>
        {
            var address = (IPEndPoint)server.EndPoints[0];
            refusing ??= stage.CreateRefusingAddress(address.Port);
            stage.Names.Add("remote.test", refusing, address.Address);
            stage.Names.Add("local.test", IPAddress.Parse("192.0.2.1"), IPAddress.Loopback, IPAddress.IPv6Loopback);
            return stage.Loop.CreateConnectionAsync(
                factory, "remote.test", address.Port, new ConnectionOptions { LocalEndPoint = new DnsEndPoint("local.test", 0) }, token);
        });
    }

    [Check("CONN-020", "CONN-034", "BUG-043", "BUG-044", "BUG-045", Needs = CheckNeeds.Tcp)]
    public static Task A_race_can_be_given_up_at_every_instant(KernelStage stage)
    {
        IPAddress? refusing = null;
        return GiveUpAtEveryInstantAsync(stage, (server, factory, token) =>
        {
            var address = (IPEndPoint)server.EndPoints[0];
            refusing ??= stage.CreateRefusingAddress(address.Port);
            stage.Names.Add("remote.test", address.Address, refusing, address.Address, address.Address);
            return stage.Loop.CreateConnectionAsync(
                factory, "remote.test", address.Port, new ConnectionOptions { HappyEyeballsDelay = TimeSpan.Zero }, token);
        });
    }

    [Check("CONN-021", "BUG-043", "BUG-045")]
    public static async Task An_adoption_can_be_given_up_at_every_instant(KernelStage stage)
    {
        var isDone = false;
        for (var instants = 0; !isDone; instants++)
        {
            Check.That(instants < MostInstants, "the adoption never succeeded");
            var (first, second) = stage.CreateSocketPair();
            var (_, far) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second);
            using var giveUp = new CancellationTokenSource();
            var client = new RecordingProtocol();
            var connect = stage.Loop.AdoptAsync(() => stage.Watch(client), first, cancellationToken: giveUp.Token);

            isDone = await GiveUpAsync(stage, connect, client, instants, giveUp);

            Check.That(first.IsClosed, "the socket was not taken over");
            await far.Lost;
        }
    }

    [Check("CONN-020")]
    public static async Task A_factory_that_gives_up_its_own_connect_is_obeyed(KernelStage stage)
    {
        var server = await stage.Loop.CreateServerAsync(() => stage.Watch(new RecordingProtocol()), stage.CreateListenAddress());
        using var giveUp = new CancellationTokenSource();
        var client = new RecordingProtocol();

        var cancelled = await Check.ThrowsAsync<OperationCanceledException>(() => stage.Loop.CreateConnectionAsync(
            () =>
            {
                giveUp.Cancel();
                return client;
            },
            server.EndPoints[0],
            cancellationToken: giveUp.Token));

        Check.Equal(giveUp.Token, cancelled.CancellationToken);
        Check.Trace(client.Trace);
        server.Close();
        await server.WaitClosedAsync();
    }

    /// <summary>Gives up after no pass, one, two, … until the connect is there first.</summary>
    private static async Task GiveUpAtEveryInstantAsync(
        KernelStage stage,
        Func<Server, Func<RecordingProtocol>, CancellationToken, Task<(ITransport Transport, RecordingProtocol Protocol)>> start)
    {
        var server = await stage.Loop.CreateServerAsync(() => stage.Watch(new RecordingProtocol()), stage.CreateListenAddress());
        var clients = new List<RecordingProtocol>();
        var isDone = false;
        for (var instants = 0; !isDone; instants++)
        {
            Check.That(instants < MostInstants, "the connect never succeeded");
            using var giveUp = new CancellationTokenSource();
            var client = new RecordingProtocol();
            clients.Add(client);
            var connect = start(server, () => stage.Watch(client), giveUp.Token);
            isDone = await GiveUpAsync(stage, connect, client, instants, giveUp);
        }

        // What was given up stays so.
        await stage.SettleAsync();
        foreach (var client in clients.SkipLast(1)) Check.Trace(client.Trace);
        server.CloseClients();
        server.Close();
        await server.WaitClosedAsync();
    }

    private static async Task<bool> GiveUpAsync(
        KernelStage stage, Task<(ITransport Transport, RecordingProtocol Protocol)> connect, RecordingProtocol client, int instants, CancellationTokenSource giveUp)
    {
        await stage.InstantsAsync(instants);
        giveUp.Cancel();
        try
        {
            var (transport, _) = await connect;
            transport.Abort();
            Check.That(await client.Lost is null);
            return true;
        }
        catch (OperationCanceledException cancelled)
        {
            Check.Equal(giveUp.Token, cancelled.CancellationToken);
            Check.Trace(client.Trace);
            return false;
        }
    }
}
