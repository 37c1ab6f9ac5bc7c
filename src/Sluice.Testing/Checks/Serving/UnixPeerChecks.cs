using System.Net;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Who is at the other end of a Unix socket, and who is let in.</summary>
internal static class UnixPeerChecks
{
    [Check("UNIX-024", Needs = CheckNeeds.Unix)]
    public static async Task Both_ends_know_who_their_peer_is_also_afterwards(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        var ofServer = pair.Client.GetExtraInfo(ExtraInfo.PeerCredentials);
        var ofClient = pair.Server.GetExtraInfo(ExtraInfo.PeerCredentials);

        Check.Equal(stage.Credentials, ofServer);
        Check.Equal(stage.Credentials, ofClient);
        Check.Equal(ofClient, pair.Server.GetExtraInfo("peercred"));

        await pair.CloseAsync();
        await stage.SettleAsync();
        Check.Equal(ofClient, pair.Server.GetExtraInfo(ExtraInfo.PeerCredentials));
    }

    [Check("UNIX-024", Needs = CheckNeeds.Unix)]
    public static async Task Whoever_asks_after_the_connection_is_released_learns_nothing(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        await pair.CloseAsync();
        await stage.SettleAsync();

        Check.That(pair.Server.GetExtraInfo(ExtraInfo.PeerCredentials) is null);
    }

    [Check("UNIX-024", Needs = CheckNeeds.Unix)]
    public static async Task The_peer_of_an_adopted_socket_is_known_too(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var (near, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first);
        var (far, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second);

        Check.Equal(stage.Credentials, near.GetExtraInfo(ExtraInfo.PeerCredentials));
        Check.Equal(stage.Credentials, far.GetExtraInfo(ExtraInfo.PeerCredentials));
    }

    [Check("UNIX-024", Needs = CheckNeeds.Tcp)]
    public static async Task A_TCP_peer_is_nobody_and_the_filter_is_not_asked(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(serverOptions: new ServerOptions { UnixPeerFilter = static _ => throw new InvalidOperationException("asked") });

        Check.That(pair.Client.GetExtraInfo(ExtraInfo.PeerCredentials) is null);
        Check.That(!pair.Server.TryGetExtraInfo(ExtraInfo.PeerCredentials, out _));
    }

    [Check("UNIX-025", Needs = CheckNeeds.Unix)]
    public static async Task The_filter_is_asked_before_the_factory_and_whom_it_refuses_is_closed(KernelStage stage)
    {
        foreach (var isAbstract in (bool[])[false, true])
        {
            var order = new List<string>();
            var admits = true;
            var ambient = new AsyncLocal<string> { Value = "server's" };
            await using var server = await stage.Loop.CreateServerAsync(
                () =>
                {
                    order.Add("factory");
                    return stage.Watch(RecordingProtocol.Echo());
                },
                isAbstract ? stage.CreateAbstractAddress() : stage.CreateListenAddress(),
                new ServerOptions
                {
                    UnixPeerFilter = peer =>
                    {
                        Check.That(EventLoop.TryGetCurrent() == stage.Loop && ambient.Value == "server's");
                        order.Add(peer == stage.Credentials ? "filter" : $"filter with {peer}");
                        return admits;
                    },
                });
            ambient.Value = "client's";

            var (transport, admitted) = await ConnectAsync(stage, server.EndPoints[0]);
            transport.Write("in"u8);
            await admitted.WaitForBytesAsync(2);
            Check.Trace(order, "filter", "factory");

            admits = false;
            var (_, refused) = await ConnectAsync(stage, server.EndPoints[0]);
            await refused.Lost;
            Check.Trace(order, "filter", "factory", "filter");
            Check.Equal(0, refused.Received.Length);

            transport.Write("still"u8);
            await admitted.WaitForBytesAsync(7);
            transport.Close();
        }
    }

    [Check("UNIX-025", Needs = CheckNeeds.Unix)]
    public static async Task A_filter_that_throws_refuses_and_is_reported(KernelStage stage)
    {
        var fails = true;
        await using var server = await stage.Loop.CreateServerAsync(
            () => stage.Watch(RecordingProtocol.Echo()),
            stage.CreateListenAddress(),
            new ServerOptions { UnixPeerFilter = _ => fails ? throw new FormatException("mistake") : true });

        var (_, refused) = await ConnectAsync(stage, server.EndPoints[0]);
        await refused.Lost;

        var report = stage.ClaimReport();
        Check.That(report.Exception is FormatException);
        Check.Equal(server.EndPoints[0], report.EndPoint);

        fails = false;
        var (transport, admitted) = await ConnectAsync(stage, server.EndPoints[0]);
        transport.Write("in"u8);
        await admitted.WaitForBytesAsync(2);
        transport.Close();
    }

    [Check("UNIX-025", Needs = CheckNeeds.Unix)]
    public static async Task A_filter_that_closes_the_server_refuses_its_peer(KernelStage stage)
    {
        Server? server = null;
        var made = 0;
        server = await stage.Loop.CreateServerAsync(
            () =>
            {
                made++;
                return new RecordingProtocol();
            },
            stage.CreateListenAddress(),
            new ServerOptions
            {
                UnixPeerFilter = _ =>
                {
                    server!.Close();
                    return true;
                },
            });

        var (_, refused) = await ConnectAsync(stage, server.EndPoints[0]);
        await refused.Lost;
        await server.WaitClosedAsync();

        Check.Equal(0, made);
    }

    [Check("UNIX-025", Needs = CheckNeeds.Unix)]
    public static async Task At_an_abstract_name_ones_own_user_is_admitted(KernelStage stage)
    {
        await using var server = await stage.Loop.CreateServerAsync(() => stage.Watch(RecordingProtocol.Echo()), stage.CreateAbstractAddress());

        var (transport, client) = await ConnectAsync(stage, server.EndPoints[0]);
        transport.Write("in"u8);
        await client.WaitForBytesAsync(2);
        transport.Close();
    }

    private static Task<(ITransport Transport, RecordingProtocol Protocol)> ConnectAsync(KernelStage stage, EndPoint address) =>
        stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address);
}
