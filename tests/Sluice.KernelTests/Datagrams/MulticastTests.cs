using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Sluice.KernelTests.Datagrams.Kit;

namespace Sluice.KernelTests.Datagrams;

/// <summary>Multicast groups, over the loopback interface.</summary>
public sealed class MulticastTests
{
    private static readonly IPAddress Group4 = IPAddress.Parse("239.255.77.1");
    private static readonly IPAddress Group6 = IPAddress.Parse("ff01::77:1");

    [Fact]
    public void Members_of_a_group_hear_what_is_sent_to_it_until_they_leave() => DatagramRun.OnLoop(static run =>
        ShareGroupAsync(run, Group4, new IPEndPoint(IPAddress.Any, 0), Loopback()));

    // Linux has no IPv6 multicast on the loopback interface: a group that reaches this machine only, through whatever interface has a route.
    [Fact]
    public void Members_of_an_IPv6_group_hear_what_is_sent_to_it_until_they_leave() => DatagramRun.OnLoop(static run =>
        ShareGroupAsync(run, Group6, new IPEndPoint(IPAddress.IPv6Any, 0), 0));

    private static async Task ShareGroupAsync(DatagramRun run, IPAddress group, IPEndPoint any, int network)
    {
        var options = new DatagramOptions { ReusePort = true };
        var first = await run.OpenAsync(any, options: options);
        var port = ((IPEndPoint)DatagramRun.NameOf(first)).Port;
        var second = await run.OpenAsync(new IPEndPoint(any.Address, port), options: options);
        var sender = await run.OpenAsync(any, options: new DatagramOptions { MulticastInterface = network == 0 ? null : network, MulticastTimeToLive = 0, MulticastLoopback = true });
        first.Transport.JoinMulticastGroup(group, network);
        second.Transport.JoinMulticastGroup(group, network);
        sender.Transport.SendTo("both"u8, new IPEndPoint(group, port));
        await Task.Yield();
        if (sender.Errors.Count > 0) Assert.Skip($"This machine has no route for {group}: {sender.Errors[0].Message}");
        await first.WaitForAsync(1);
        await second.WaitForAsync(1);
        Assert.Equal("both"u8, first.Datagrams[0]);
        Assert.Equal(((IPEndPoint)DatagramRun.NameOf(sender)).Port, ((IPEndPoint)first.Senders[0]!).Port);

        // Linux lets a socket hear a group that another one has joined: so all leave.
        first.Transport.LeaveMulticastGroup(group, network);
        second.Transport.LeaveMulticastGroup(group, network);
        sender.Transport.SendTo("nobody"u8, new IPEndPoint(group, port));
        await Task.Yield();
        first.Transport.JoinMulticastGroup(group, network);
        sender.Transport.SendTo("one"u8, new IPEndPoint(group, port));
        await first.WaitForAsync(2);
        Assert.Equal("one"u8, first.Datagrams[1]);
    }

    [Fact]
    public void A_source_specific_member_hears_only_its_source() => DatagramRun.OnLoop(static async run =>
    {
        var group = IPAddress.Parse("232.1.77.1");
        var hearer = await run.OpenAsync(new IPEndPoint(IPAddress.Any, 0));
        var port = ((IPEndPoint)DatagramRun.NameOf(hearer)).Port;
        var options = new DatagramOptions { MulticastInterface = Loopback() };
        var wanted = await run.OpenAsync(new IPEndPoint(IPAddress.Parse("127.0.0.7"), 0), options: options);
        var other = await run.OpenAsync(new IPEndPoint(IPAddress.Parse("127.0.0.8"), 0), options: options);
        hearer.Transport.JoinMulticastGroup(group, Loopback(), IPAddress.Parse("127.0.0.7"));
        other.Transport.SendTo("other"u8, new IPEndPoint(group, port));
        await Task.Yield();
        wanted.Transport.SendTo("wanted"u8, new IPEndPoint(group, port));
        await hearer.WaitForAsync(1);
        Assert.Equal("wanted"u8, hearer.Datagrams[0]);
        hearer.Transport.LeaveMulticastGroup(group, Loopback(), IPAddress.Parse("127.0.0.7"));
    });

    [Fact]
    public void The_options_reach_the_socket() => DatagramRun.OnLoop(static async run =>
    {
        var options = new DatagramOptions { MulticastTimeToLive = 7, MulticastLoopback = false, MulticastInterface = Loopback() };
        var ip = (await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), options: options)).Transport.GetExtraInfo(ExtraInfo.Socket)!;
        Assert.Equal(7, ip.GetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastTimeToLive));
        Assert.Equal(0, ip.GetSocketOption(SocketOptionLevel.IP, SocketOptionName.MulticastLoopback));
        var ipv6 = (await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetworkV6), options: options)).Transport.GetExtraInfo(ExtraInfo.Socket)!;
        Assert.Equal(7, ipv6.GetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastTimeToLive));
        Assert.Equal(0, ipv6.GetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastLoopback));
        Assert.Equal(Loopback(), ipv6.GetSocketOption(SocketOptionLevel.IPv6, SocketOptionName.MulticastInterface));
    });

    [Fact]
    public void What_cannot_be_a_membership_is_refused() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        Assert.Throws<ArgumentException>(() => hearer.Transport.JoinMulticastGroup(IPAddress.Loopback));
        Assert.Throws<ArgumentException>(() => hearer.Transport.JoinMulticastGroup(Group6));
        Assert.Throws<ArgumentException>(() => hearer.Transport.JoinMulticastGroup(Group4, 0, IPAddress.IPv6Loopback));
        Assert.Throws<ArgumentOutOfRangeException>(() => hearer.Transport.JoinMulticastGroup(Group4, -1));
        Assert.Throws<SocketException>(() => hearer.Transport.JoinMulticastGroup(Group4, 9_999));
        Assert.Throws<SocketException>(() => hearer.Transport.LeaveMulticastGroup(Group4, Loopback()));
        hearer.Transport.JoinMulticastGroup(Group4, Loopback());
        Assert.Throws<SocketException>(() => hearer.Transport.JoinMulticastGroup(Group4, Loopback()));
        hearer.Transport.Close();
        Assert.Throws<ObjectDisposedException>(() => hearer.Transport.JoinMulticastGroup(Group4, Loopback()));
    });

    private static int Loopback() => NetworkInterface.GetAllNetworkInterfaces()
        .First(static network => network.NetworkInterfaceType == NetworkInterfaceType.Loopback).GetIPProperties().GetIPv4Properties().Index;
}
