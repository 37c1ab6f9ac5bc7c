using System.Net;
using System.Net.Sockets;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>The ways to open a datagram endpoint, and those that are refused.</summary>
internal static class DatagramEndpointChecks
{
    [Check("UDP-030")]
    public static Task Neither_an_address_nor_a_family_is_refused_at_the_call(KernelStage stage)
    {
        var refused = Check.Throws<ArgumentException>(() => { _ = Open(stage); });
        Check.That(refused.Message.Contains("nexpected address family", StringComparison.Ordinal));
        Check.Throws<ArgumentException>(() => { _ = Open(stage, options: new DatagramOptions { AddressFamily = AddressFamily.AppleTalk }); });
        Check.Throws<ArgumentException>(() => { _ = Open(stage, stage.Datagrams.CreateAddress(), options: new DatagramOptions { MaxWriteBufferSize = 0 }); });
        return Task.CompletedTask;
    }

    [Check("UDP-031")]
    public static async Task A_family_alone_makes_an_endpoint_that_can_send(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        var client = await stage.Datagrams.OpenAsync(options: new DatagramOptions { AddressFamily = stage.Datagrams.Family });
        client.Send("from anywhere"u8, server);
        await server.Protocol.WaitForDatagramsAsync(1);
        if (stage.Datagrams.IsUnix) return;

        var sender = (IPEndPoint)server.Protocol.Datagrams[0].Address!;
        Check.That(sender.Port != 0);
        server.Transport.SendTo("back"u8, sender);
        await client.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-032")]
    public static async Task Addresses_without_a_family_in_common_are_refused(KernelStage stage)
    {
        var four = new IPEndPoint(IPAddress.Loopback, 0);
        var six = new IPEndPoint(IPAddress.IPv6Loopback, 9);
        var refused = Check.Throws<ArgumentException>(() => { _ = Open(stage, four, six); });
        Check.That(refused.Message.Contains("annot get address information", StringComparison.Ordinal));
        Check.Throws<ArgumentException>(() => { _ = Open(stage, new UnixDomainSocketEndPoint("/nowhere"), six); });

        stage.Names.Add("six.test", IPAddress.IPv6Loopback);
        await Check.ThrowsAsync<ArgumentException>(() => Open(stage, four, new DnsEndPoint("six.test", 9)));
    }

    [Check("UDP-033", Needs = CheckNeeds.Tcp)]
    public static async Task An_address_that_is_taken_or_not_ours_fails_the_call(KernelStage stage)
    {
        var first = await stage.Datagrams.OpenAsync();
        var taken = await Check.ThrowsAsync<SocketException>(() => Open(stage, first.Address));
        Check.Equal(SocketError.AddressAlreadyInUse, taken.SocketErrorCode);

        var foreign = IPAddress.Parse(stage.Datagrams.Family == AddressFamily.InterNetworkV6 ? "2001:db8::1" : "192.0.2.1");
        var failed = await Check.ThrowsAsync<SocketException>(() => Open(stage, new IPEndPoint(foreign, 0)));
        Check.Equal(SocketError.AddressNotAvailable, failed.SocketErrorCode);
        first.Transport.Close();
        await first.Protocol.Lost;
        await stage.SettleAsync();
        await stage.Datagrams.OpenAsync(first.Address);
    }

    [Check("UDP-033", Needs = CheckNeeds.Tcp)]
    public static async Task Of_several_addresses_the_first_that_works_is_taken_and_else_the_first_failure_is_thrown(KernelStage stage)
    {
        var loopback = stage.Datagrams.Loopback;
        var foreign = IPAddress.Parse(stage.Datagrams.Family == AddressFamily.InterNetworkV6 ? "2001:db8::1" : "192.0.2.1");
        var taken = await stage.Datagrams.OpenAsync();
        var port = ((IPEndPoint)taken.Address).Port;
        stage.Names.Add("second.test", foreign, loopback);
        stage.Names.Add("none.test", foreign, loopback);
        stage.Names.Add("empty.test");

        var end = await stage.Datagrams.OpenAsync(new DnsEndPoint("second.test", 0));
        Check.Equal(loopback, ((IPEndPoint)end.Address).Address);
        var failed = await Check.ThrowsAsync<SocketException>(() => Open(stage, new DnsEndPoint("none.test", port)));
        Check.Equal(SocketError.AddressNotAvailable, failed.SocketErrorCode);
        await Check.ThrowsAsync<SocketException>(() => Open(stage, new DnsEndPoint("unknown.test", 0)));
        await Check.ThrowsAsync<SocketException>(() => Open(stage, new DnsEndPoint("empty.test", 0)));
    }

    [Check("UDP-024", Needs = CheckNeeds.Tcp)]
    public static async Task Names_are_asked_for(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        stage.Names.Add("server.test", stage.Datagrams.Loopback);
        var client = await stage.Datagrams.OpenAsync(remote: new DnsEndPoint("server.test", ((IPEndPoint)server.Address).Port));
        client.Send("found"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
        Check.Equal(server.Address, client.Transport.GetExtraInfo(ExtraInfo.PeerName));
    }

    [Check("UDP-034", Needs = CheckNeeds.Tcp)]
    public static async Task An_endpoint_that_may_broadcast_is_not_connected(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        var other = await stage.Datagrams.OpenAsync();
        var client = await stage.Datagrams.OpenAsync(remote: server.Address, options: new DatagramOptions { AllowBroadcast = true });
        Check.That(client.Transport.GetExtraInfo(ExtraInfo.PeerName) is null);

        client.Send("by default"u8);
        client.Send("elsewhere"u8, other);
        await server.Protocol.WaitForDatagramsAsync(1);
        await other.Protocol.WaitForDatagramsAsync(1);
        other.Transport.SendTo("from a stranger"u8, other.Protocol.Datagrams[0].Address);
        await client.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-035", Needs = CheckNeeds.Tcp)]
    public static async Task Options_are_off_unless_asked_for(KernelStage stage)
    {
        var plain = await stage.Datagrams.OpenAsync();
        var asked = await stage.Datagrams.OpenAsync(stage.Datagrams.CreateAddress(), options: new DatagramOptions { AllowBroadcast = true, ReusePort = true });
        Check.Equal(0, OptionOf(plain, SocketOptionName.Broadcast));
        Check.That(OptionOf(asked, SocketOptionName.Broadcast) != 0);
        Check.Equal(0, OptionOf(plain, SocketOptionName.ReuseAddress));
        Check.Equal(0, OptionOf(asked, SocketOptionName.ReuseAddress));

        await Check.ThrowsAsync<SocketException>(() => Open(stage, plain.Address, options: new DatagramOptions { ReusePort = true }));
        await Check.ThrowsAsync<SocketException>(() => Open(stage, asked.Address));
        var sharing = await stage.Datagrams.OpenAsync(asked.Address, options: new DatagramOptions { ReusePort = true });
        var client = await stage.Datagrams.OpenAsync();
        for (var i = 0; i < 10; i++) client.Send("one of you"u8, asked);
        await stage.UntilAsync(() => asked.Protocol.Datagrams.Count + sharing.Protocol.Datagrams.Count == 10);
    }

    [Check("UDP-027")]
    public static async Task A_stream_socket_is_no_datagram_socket(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        using (second)
        {
            await Check.ThrowsAsync<SocketException>(() => stage.Loop.AdoptDatagramAsync(() => new RecordingDatagramProtocol(), first));
        }
    }

    [Check("UDP-026")]
    public static Task An_existing_socket_keeps_its_options(KernelStage stage)
    {
        using var socket = stage.Datagrams.CreateSocket(stage.Datagrams.CreateAddress(), out _);
        Check.Throws<ArgumentException>(() => { _ = stage.Loop.AdoptDatagramAsync(() => new RecordingDatagramProtocol(), socket, new DatagramOptions { AllowBroadcast = true }); });
        Check.That(!socket.IsClosed);
        return Task.CompletedTask;
    }

    private static int OptionOf(DatagramEnd end, SocketOptionName name) => end.Transport.GetExtraInfo(ExtraInfo.Socket)!.GetSocketOption(SocketOptionLevel.Socket, name);

    private static Task<(IDatagramTransport Transport, RecordingDatagramProtocol Protocol)> Open(
        KernelStage stage, EndPoint? local = null, EndPoint? remote = null, DatagramOptions? options = null) =>
        stage.Loop.CreateDatagramEndpointAsync(() => new RecordingDatagramProtocol(), local, remote, options);
}
