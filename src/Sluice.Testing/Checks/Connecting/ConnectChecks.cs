using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>Connects that succeed: by address, by name, by literal, over a socket.</summary>
internal static class ConnectChecks
{
    [Check("CONN-007", Needs = CheckNeeds.Tcp)]
    public static async Task A_connect_by_name_gives_the_transport_and_the_very_protocol(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        stage.Names.Add("server.test", target.Address);
        var made = new List<RecordingProtocol>();

        var (transport, protocol) = await stage.Loop.CreateConnectionAsync(
            () =>
            {
                made.Add(stage.Watch(new RecordingProtocol()));
                return made[^1];
            },
            "server.test",
            target.Port);

        Check.That(made.Count == 1 && ReferenceEquals(made[0], protocol), "another protocol than the factory's came back");
        Check.That(ReferenceEquals(protocol.Transport, transport), "ConnectionMade got another transport");
        Check.That(transport.GetExtraInfo(ExtraInfo.SocketName) is IPEndPoint { Port: > 0 });
        Check.Equal(target.EndPoint, transport.GetExtraInfo(ExtraInfo.PeerName));
        transport.Write("over the name"u8);
        await protocol.WaitForBytesAsync(13);
        target.Listener.CloseClients();
        Check.That(await protocol.Lost is null);
        await target.CloseAsync();
    }

    [Check("CONN-002", "CONN-003", Needs = CheckNeeds.Tcp)]
    public static async Task A_literal_asks_no_resolver_unless_another_family_is_wanted(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        var literal = target.Address.ToString();
        var (transport, protocol) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), literal, target.Port);
        transport.Close();
        await protocol.Lost;
        Check.Equal(0, stage.Names.Questions.Count, "questions for a literal");

        var (family, foreign) = target.Address.AddressFamily == AddressFamily.InterNetwork
            ? (AddressFamily.InterNetwork, "::5")
            : (AddressFamily.InterNetworkV6, "127.0.0.5");
        stage.Names.Add(foreign, IPAddress.Parse(foreign), target.Address);
        (transport, protocol) = await stage.Loop.CreateConnectionAsync(
            () => stage.Watch(new RecordingProtocol()), foreign, target.Port, new ConnectionOptions { AddressFamily = family });

        Check.Equal(target.EndPoint, transport.GetExtraInfo(ExtraInfo.PeerName));
        Check.Trace([.. stage.Names.Questions.Select(question => $"{question.Host} {question.Family}")], $"{foreign} {family}");
        await target.CloseAsync(transport, protocol);
    }

    [Check("CONN-008", Needs = CheckNeeds.Tcp)]
    public static async Task Without_a_host_the_loopback_addresses_are_tried(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);

        var (transport, protocol) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), null, target.Port);

        Check.Equal(target.EndPoint, transport.GetExtraInfo(ExtraInfo.PeerName));
        Check.Equal(0, stage.Names.Questions.Count, "questions for no host");
        await target.CloseAsync(transport, protocol);
    }

    [Check("CONN-018", Needs = CheckNeeds.Tcp)]
    public static async Task The_next_address_is_used_when_one_fails(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);

        var (transport, protocol) = await target.ConnectAsync(null, default, target.Refusing(), target.Refusing(), target.Address, target.Silent());

        Check.Equal(target.EndPoint, transport.GetExtraInfo(ExtraInfo.PeerName));
        transport.Write("second choice"u8);
        await protocol.WaitForBytesAsync(13);
        Check.Equal(1, target.Served.Count, "connections that the server saw");
        await target.CloseAsync(transport, protocol);
    }

    [Check("CONN-011", "CONN-037")]
    public static async Task Sockets_that_exist_become_both_sides_of_a_connection(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var (client, clientProtocol) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first);
        RecordingProtocol? accepted = null;
        (_, accepted) = await stage.Loop.AdoptAsync(
            () => stage.Watch(new RecordingProtocol { OnData = _ => accepted!.Transport.Write("roger"u8) }), second);

        client.Write("test data"u8);
        await clientProtocol.WaitForBytesAsync(5);
        await accepted.WaitForBytesAsync(9);

        Check.Bytes("test data"u8, accepted.Received);
        Check.Bytes("roger"u8, clientProtocol.Received[..5]);
        client.Close();
        Check.That(await clientProtocol.Lost is null && await accepted.Lost is null);
    }

    [Check("CONN-040")]
    public static async Task A_hundred_clients_talk_at_the_same_time(KernelStage stage)
    {
        var listener = await stage.Loop.CreateServerAsync(
            () =>
            {
                var server = stage.Watch(new RecordingProtocol());
                var answered = 0;
                server.OnData = _ =>
                {
                    if (answered == 0 && server.Received.Length >= 4)
                    {
                        answered++;
                        server.Transport.Write("OK"u8);
                    }

                    if (answered == 1 && server.Received.Length >= 8)
                    {
                        answered++;
                        server.Transport.Write("SPAM"u8);
                    }
                };
                return server;
            },
            stage.CreateListenAddress());

        await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            var (transport, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), listener.EndPoints[0]);
            transport.Write("AAAA"u8);
            await client.WaitForBytesAsync(2);
            transport.Write("BBBB"u8);
            await client.WaitForBytesAsync(6);
            Check.Bytes("OKSPAM"u8, client.Received);
            transport.Close();
            Check.That(await client.Lost is null);
        }));

        listener.Close();
        await listener.WaitClosedAsync();
    }

    [Check("TCP-066", Needs = CheckNeeds.Tcp)]
    public static async Task Silent_peers_are_probed_where_the_options_ask_for_it(KernelStage stage)
    {
        foreach (var asks in (bool[])[false, true])
        {
            var options = new ConnectionOptions { KeepAlive = asks };
            var pair = await stage.ConnectAsync(clientOptions: options);
            var (first, second) = stage.CreateSocketPair();
            var (adopted, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first, options);
            await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second, options);

            Check.Equal(asks, Probes(pair.Client));
            if (adopted.GetExtraInfo(ExtraInfo.Socket)!.ProtocolType == ProtocolType.Tcp) Check.Equal(asks, Probes(adopted));
        }

        static bool Probes(ITransport transport) =>
            transport.GetExtraInfo(ExtraInfo.Socket)!.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) != 0;
    }
}
