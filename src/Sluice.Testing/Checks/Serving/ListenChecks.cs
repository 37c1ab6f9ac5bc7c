using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Where a server listens: hosts, families, ports, what is left out and what ends it.</summary>
internal static class ListenChecks
{
    private static readonly IPAddress Neighbour = IPAddress.Parse("127.0.0.2");

    [Check("SRV-001", "SRV-047", Needs = CheckNeeds.Tcp)]
    public static async Task A_server_on_all_IPv4_interfaces_is_one_socket_and_knows_its_peers(KernelStage stage)
    {
        var served = stage.Watch(new RecordingProtocol());
        var server = await stage.Loop.CreateServerAsync(() => served, "0.0.0.0", 0);
        var bound = (IPEndPoint)server.EndPoints.Single();
        Check.Equal(IPAddress.Any, bound.Address);
        Check.Equal(1, server.Sockets.Count);

        var (transport, client) = await ConnectAsync(stage, new IPEndPoint(IPAddress.Loopback, bound.Port));
        transport.Write("abc"u8);
        await served.WaitForBytesAsync(3);

        Check.Equal(IPAddress.Loopback, ((IPEndPoint)served.Transport.GetExtraInfo(ExtraInfo.PeerName)!).Address);
        Check.Equal(transport.GetExtraInfo(ExtraInfo.SocketName), served.Transport.GetExtraInfo(ExtraInfo.PeerName));
        Check.Equal<EndPoint?>(new IPEndPoint(IPAddress.Loopback, bound.Port), served.Transport.GetExtraInfo(ExtraInfo.SocketName));
        served.Transport.Close();
        Check.That(await served.Lost is null && await client.Lost is null);
        server.Close();
    }

    [Check("SRV-002", Needs = CheckNeeds.Tcp)]
    public static async Task The_listening_sockets_can_be_looked_at_but_not_made_to_wait(KernelStage stage)
    {
        var server = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), stage.CreateListenAddress());
        var socket = server.Sockets.Single();

        Check.Equal(server.EndPoints.Single(), socket.LocalEndPoint);
        Check.That(socket.Handle >= 0);
        Check.That(socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress) != 0);
        Check.Throws<ArgumentException>(() => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveTimeout, 1000));

        server.Close();
        Check.Equal<nint>(-1, socket.Handle);
        Check.Throws<ObjectDisposedException>(() => socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress));
    }

    [Check("SRV-003", Needs = CheckNeeds.Tcp)]
    public static async Task Hosts_that_mean_one_address_are_bound_once(KernelStage stage)
    {
        stage.Names.Add("this.test", IPAddress.Loopback, Neighbour);
        var server = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), ["127.0.0.2", "127.0.0.1", "this.test", "127.0.0.1"], 0);
        var addresses = server.EndPoints.Cast<IPEndPoint>().Select(static bound => bound.Address).ToArray();

        Check.Equal(Neighbour, addresses[0]);
        Check.Equal(IPAddress.Loopback, addresses[1]);
        Check.Equal(2, addresses.Length);
        server.Close();

        IPEndPoint[] twice = [new(IPAddress.Loopback, 0), new(IPAddress.Loopback, 0)];
        server = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), twice);
        Check.Equal(1, server.EndPoints.Count);
        server.Close();
    }

    [Check("SRV-004", "SRV-006", Needs = CheckNeeds.Tcp)]
    public static async Task No_host_means_all_interfaces_of_both_families_each_with_a_port_of_its_own(KernelStage stage)
    {
        foreach (var host in (string?[])[null, ""])
        {
            var server = await stage.Loop.CreateServerAsync(() => stage.Watch(RecordingProtocol.Echo()), host, 0);
            var bound = server.EndPoints.Cast<IPEndPoint>().ToArray();

            Check.Equal(IPAddress.Any, bound[0].Address);
            if (bound.Length == 2) Check.Equal(IPAddress.IPv6Any, bound[1].Address);
            else Check.That(!Socket.OSSupportsIPv6, "a family is missing");
            await VerifyServiceAsync(stage, bound.Select(static at => new IPEndPoint(LoopbackOf(at), at.Port)));
            server.Close();
        }
    }

    [Check("SRV-005", Needs = CheckNeeds.Tcp)]
    public static async Task One_port_is_served_over_both_families(KernelStage stage)
    {
        // Outside of what systems hand out, and another one for each process that runs this.
        var port = 20_000 + Environment.ProcessId % 10_000;
        var server = await stage.Loop.CreateServerAsync(() => stage.Watch(RecordingProtocol.Echo()), null, port);
        var bound = server.EndPoints.Cast<IPEndPoint>().ToArray();

        Check.That(Array.TrueForAll(bound, at => at.Port == port));
        Check.Equal(Socket.OSSupportsIPv6 ? 2 : 1, bound.Length);
        await VerifyServiceAsync(stage, bound.Select(at => new IPEndPoint(LoopbackOf(at), port)));
        server.Close();
    }

    [Check("SRV-007", "SRV-008", Needs = CheckNeeds.Tcp)]
    public static async Task A_literal_of_either_family_with_port_0_gets_a_port_that_shows(KernelStage stage)
    {
        foreach (var host in Socket.OSSupportsIPv6 ? (string[])["127.0.0.1", "::1"] : ["127.0.0.1"])
        {
            var server = await stage.Loop.CreateServerAsync(() => stage.Watch(RecordingProtocol.Echo()), host, 0);
            var bound = (IPEndPoint)server.Sockets.Single().LocalEndPoint!;

            Check.Equal(IPAddress.Parse(host), bound.Address);
            Check.That(bound.Port > 0);
            await VerifyServiceAsync(stage, [bound]);
            server.Close();
        }
    }

    [Check("SRV-001")]
    public static async Task Several_addresses_make_one_server(KernelStage stage)
    {
        var reached = 0;
        EndPoint[] addresses = stage.IsTcp
            ? [new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(Neighbour, 0), new UnixDomainSocketEndPoint($"\0sluice-{Guid.NewGuid()}")]
            : [stage.CreateListenAddress(), stage.CreateListenAddress()];
        var server = await stage.Loop.CreateServerAsync(
            () =>
            {
                reached++;
                return stage.Watch(new RecordingProtocol());
            },
            addresses);

        Check.Equal(addresses.Length, server.EndPoints.Count);
        foreach (var address in server.EndPoints) await ConnectAsync(stage, address);
        await stage.UntilAsync(() => reached == addresses.Length);
        server.Close();
    }

    [Check("SRV-009")]
    public static async Task What_cannot_be_an_address_is_refused_at_the_call(KernelStage stage)
    {
        var loop = stage.Loop;
        Func<IProtocol<ITransport>> factory = static () => new RecordingProtocol();
        Check.Throws<ArgumentException>(() => _ = loop.CreateServerAsync(factory, Array.Empty<string>(), 0));
        Check.Throws<ArgumentException>(() => _ = loop.CreateServerAsync(factory, Array.Empty<EndPoint>()));
        Check.Throws<ArgumentException>(() => _ = loop.CreateServerAsync(factory, ["localhost", null!], 0));
        Check.Throws<ArgumentException>(() => _ = loop.CreateServerAsync(factory, ["localhost", ""], 0));
        Check.Throws<ArgumentException>(() => _ = loop.CreateServerAsync(factory, [stage.CreateListenAddress(), null!]));
        Check.Throws<ArgumentNullException>(() => _ = loop.CreateServerAsync(factory, (EndPoint)null!));
        Check.Throws<ArgumentNullException>(() => _ = loop.CreateServerAsync(factory, (IEnumerable<string>)null!, 0));
        Check.Throws<ArgumentNullException>(() => _ = loop.CreateServerAsync(null!, stage.CreateListenAddress()));
        foreach (var port in (int[])[-1, 65_536])
        {
            Check.Throws<ArgumentOutOfRangeException>(() => _ = loop.CreateServerAsync(factory, (string?)null, port));
            Check.Throws<ArgumentOutOfRangeException>(() => _ = loop.CreateServerAsync(factory, ["localhost"], port));
        }

        foreach (var options in (ServerOptions[])[new() { Backlog = 0 }, new() { MaxConnections = 0 }, new() { MaxConnections = -1 }, new() { MaxWriteBufferSize = 0 }])
        {
            Check.Throws<ArgumentOutOfRangeException>(() => _ = loop.CreateServerAsync(factory, stage.CreateListenAddress(), options));
        }

        await Check.ThrowsAsync<OperationCanceledException>(
            () => loop.CreateServerAsync(factory, stage.CreateListenAddress(), cancellationToken: new CancellationToken(canceled: true)));
    }

    [Check("SRV-014", Needs = CheckNeeds.Tcp)]
    public static async Task An_address_in_use_ends_it_and_closes_what_was_bound(KernelStage stage)
    {
        var first = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), stage.CreateListenAddress());
        var taken = (IPEndPoint)first.EndPoints[0];
        var free = new IPEndPoint(Neighbour, taken.Port);

        var refused = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), [free, taken]));

        Check.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
        Check.That(refused.Message.StartsWith($"error while attempting to bind on address {taken}: ", StringComparison.Ordinal), refused.Message);
        Check.That(first.IsServing);
        var second = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), free);
        Check.Equal<EndPoint>(free, second.EndPoints.Single());
        first.Close();
        second.Close();
    }

    [Check("SRV-016", Needs = CheckNeeds.Tcp)]
    public static async Task An_address_that_is_not_of_this_machine_is_left_out_unless_it_is_the_only_one(KernelStage stage)
    {
        var server = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), ["203.0.113.7", "127.0.0.1", "203.0.113.8"], 0);
        Check.Equal(IPAddress.Loopback, ((IPEndPoint)server.EndPoints.Single()).Address);
        server.Close();

        var refused = await Check.ThrowsAsync<SocketException>(
            () => stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), ["203.0.113.7", "203.0.113.8"], 80));
        Check.Equal(SocketError.AddressNotAvailable, refused.SocketErrorCode);
        Check.Equal("could not bind on any address out of 203.0.113.7:80, 203.0.113.8:80", refused.Message);
    }

    [Check("SRV-016", Needs = CheckNeeds.Tcp)]
    public static async Task A_name_without_an_address_fails_the_call_and_binds_nothing(KernelStage stage)
    {
        var port = ((IPEndPoint)await FreeAddressAsync(stage)).Port;
        await Check.ThrowsAsync<SocketException>(
            () => stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), ["127.0.0.1", "no-such-host.invalid", "neither-this.invalid"], port));

        var server = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), "127.0.0.1", port);
        server.Close();
    }

    [Check("SRV-017", Needs = CheckNeeds.Tcp)]
    public static async Task Servers_share_a_port_only_where_all_of_them_ask_for_it(KernelStage stage)
    {
        var shared = new ServerOptions { ReusePort = true };
        var served = new int[2];
        var first = await stage.Loop.CreateServerAsync(() => Served(0), stage.CreateListenAddress(), shared);
        var address = first.EndPoints[0];
        var second = await stage.Loop.CreateServerAsync(() => Served(1), address, shared);
        var refused = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), address));
        Check.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);

        for (var i = 0; i < 40; i++) await ConnectAsync(stage, address);
        await stage.UntilAsync(() => served[0] + served[1] == 40);
        Check.That(served[0] > 0 && served[1] > 0, $"one server got all: {served[0]} and {served[1]}");

        first.Close();
        await ConnectAsync(stage, address);
        await stage.UntilAsync(() => served[0] + served[1] == 41);
        second.Close();

        RecordingProtocol Served(int server)
        {
            served[server]++;
            return stage.Watch(new RecordingProtocol());
        }
    }

    [Check("SRV-019", Needs = CheckNeeds.Tcp)]
    public static async Task The_options_of_the_listening_socket_are_as_asked_and_connections_inherit_them(KernelStage stage)
    {
        await Expect(new ServerOptions(), reuse: true, keep: false);
        await Expect(new ServerOptions { ReuseAddress = true, KeepAlive = true }, reuse: true, keep: true);
        await Expect(new ServerOptions { ReuseAddress = false }, reuse: false, keep: false);

        async Task Expect(ServerOptions options, bool reuse, bool keep)
        {
            var reception = await Reception.OpenAsync(stage, options: options);
            var listener = reception.Server.Sockets[0];
            var connection = (await reception.ConnectAsync()).Server.GetExtraInfo(ExtraInfo.Socket)!;
            Check.Equal(reuse, listener.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress) != 0);
            Check.Equal(keep, listener.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) != 0);
            Check.Equal(keep, connection.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive) != 0);
            reception.Server.Close();
        }
    }

    private static IPAddress LoopbackOf(IPEndPoint bound) => bound.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;

    private static Task<(ITransport Transport, RecordingProtocol Protocol)> ConnectAsync(KernelStage stage, EndPoint address) =>
        stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address);

    private static async Task VerifyServiceAsync(KernelStage stage, IEnumerable<IPEndPoint> addresses)
    {
        foreach (var address in addresses)
        {
            var (transport, client) = await ConnectAsync(stage, address);
            transport.Write("echo"u8);
            await client.WaitForBytesAsync(4);
            transport.Close();
            await client.Lost;
        }
    }

    private static async Task<EndPoint> FreeAddressAsync(KernelStage stage)
    {
        var server = await stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
        var address = server.EndPoints[0];
        server.Close();
        return address;
    }
}
