using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Datagrams.Kit;

namespace Sluice.KernelTests.Datagrams;

/// <summary>UDP endpoints on the real kernel.</summary>
public sealed class UdpTests
{
    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    [Fact, Case("BUG-075", "UDP-001")]
    public void Datagrams_of_all_sizes_arrive_whole_and_in_order() => DatagramRun.OnLoop(static async run =>
    {
        int[] sizes = [0, 1, 7, 8, 511, 1_400, 1_472, 4_087, 4_088, 4_095, 4_096, 4_097, 9_000, 16_384, 32_768, 65_000, 65_506, 65_507];
        foreach (var family in Families)
        {
            var echo = await run.OpenAsync(DatagramRun.Any(family), hearer: Hearer.Echo());
            var asker = await run.OpenAsync(remote: DatagramRun.NameOf(echo));
            for (var round = 0; round < 3; round++)
            {
                asker.Datagrams.Clear();
                for (var first = 0; first < sizes.Length; first += 3)
                {
                    // A few at a time: the receiver's buffer holds some 200 KiB.
                    for (var i = first; i < first + 3; i++) asker.Transport.SendTo(Payload(sizes[i], i + round));
                    await asker.WaitForAsync(first + 3);
                }

                Assert.Equal(sizes, asker.Datagrams.Select(static datagram => datagram.Length));
                for (var i = 0; i < sizes.Length; i++) Assert.Equal(Payload(sizes[i], i + round), asker.Datagrams[i]);
            }

            Assert.All(echo.Senders, sender => Assert.Equal(DatagramRun.NameOf(asker), sender));
            Assert.Empty(echo.Errors);
            Assert.Empty(asker.Errors);
        }
    });

    [Fact, Case("BUG-068", "BUG-069", "UDP-006", "UDP-008")]
    public void Empty_datagrams_are_sent_and_delivered_among_others() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        var sender = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        foreach (var size in (int[])[0, 0, 1, 0]) sender.Transport.SendTo(new byte[size], DatagramRun.NameOf(hearer));
        Assert.Equal(4 * 8 + 1, sender.Transport.WriteBufferSize);
        await hearer.WaitForAsync(4);

        Assert.Equal([0, 0, 1, 0], hearer.Datagrams.Select(static datagram => datagram.Length));
        Assert.Equal(0, sender.Transport.WriteBufferSize);
        sender.Transport.SendTo("alive"u8, DatagramRun.NameOf(hearer));
        await hearer.WaitForAsync(5);
    });

    [Fact, Case("BUG-073", "UDP-003", "UDP-039")]
    public void A_refusal_by_the_peer_s_machine_is_an_error_and_the_endpoint_goes_on() => DatagramRun.OnLoop(static async run =>
    {
        foreach (var family in Families)
        {
            var first = await run.OpenAsync(DatagramRun.Any(family));
            var address = DatagramRun.NameOf(first);
            first.Transport.Close();
            await first.Lost;
            var asker = await run.OpenAsync(remote: address);
            for (var i = 1; i <= 3; i++)
            {
                asker.Transport.SendTo("anyone?"u8);
                await asker.WaitForErrorsAsync(i);
                Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(asker.Errors[^1]).SocketErrorCode);
            }

            await run.OpenAsync(address, hearer: Hearer.Echo());
            asker.Transport.SendTo("you!"u8);
            await asker.WaitForAsync(1);
            Assert.Equal("you!"u8, asker.Datagrams[0]);
            Assert.Equal(3, asker.Errors.Count);
        }
    });

    [Fact, Case("BUG-073")]
    public void An_endpoint_without_a_peer_hears_of_no_refusal() => DatagramRun.OnLoop(static async run =>
    {
        var gone = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        var address = DatagramRun.NameOf(gone);
        gone.Transport.Close();
        await gone.Lost;
        var asker = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        asker.Transport.SendTo("anyone?"u8, address);
        await Task.Yield();
        asker.Transport.SendTo("me"u8, DatagramRun.NameOf(asker));
        await asker.WaitForAsync(1);
        Assert.Empty(asker.Errors);
    });

    [Fact, Case("UDP-011", "BUG-071")]
    public void A_datagram_that_is_too_long_is_an_error_and_those_around_it_arrive() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        var sender = await run.OpenAsync(remote: DatagramRun.NameOf(hearer));
        sender.Transport.SendTo("before"u8);
        sender.Transport.SendTo(new byte[65_508]);
        sender.Transport.SendTo("behind"u8);
        await hearer.WaitForAsync(2);

        Assert.Equal(["before"u8.ToArray(), "behind"u8.ToArray()], hearer.Datagrams);
        Assert.Equal(SocketError.MessageSize, Assert.IsType<SocketException>(Assert.Single(sender.Errors)).SocketErrorCode);
        Assert.Equal(0, sender.Transport.WriteBufferSize);
    });

    [Fact, Case("UDP-034", "UDP-044")]
    public void A_broadcast_needs_the_option_and_its_endpoint_hears_everyone() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await run.OpenAsync(new IPEndPoint(IPAddress.Any, 0), hearer: Hearer.Echo());
        var port = ((IPEndPoint)DatagramRun.NameOf(hearer)).Port;
        var mute = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        var everybody = new IPEndPoint(IPAddress.Parse("127.255.255.255"), port);
        mute.Transport.SendTo("hello"u8, everybody);
        await mute.WaitForErrorsAsync(1);
        Assert.Equal(SocketError.AccessDenied, Assert.IsType<SocketException>(mute.Errors[0]).SocketErrorCode);

        var caller = await run.OpenAsync(remote: everybody, options: new DatagramOptions { AllowBroadcast = true });
        Assert.Null(caller.Transport.GetExtraInfo(ExtraInfo.PeerName));
        caller.Transport.SendTo("hello"u8);
        await caller.WaitForAsync(1);
        Assert.Equal(port, ((IPEndPoint)caller.Senders[0]!).Port);
        Assert.NotEqual(everybody, caller.Senders[0]);
        caller.Transport.SendTo("you"u8, caller.Senders[0]);
        await caller.WaitForAsync(2);
    });

    [Fact, Case("UDP-035")]
    public void Only_the_options_asked_for_are_set() => DatagramRun.OnLoop(static async run =>
    {
        var plain = Options(await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork)));
        var shared = Options(await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), options: new DatagramOptions { ReusePort = true, AllowBroadcast = true }));

        Assert.Equal((0, 0, 0), plain);
        Assert.Equal((1, 1, 0), shared);

        static (int ReusePort, int Broadcast, int ReuseAddress) Options(Hearer hearer)
        {
            using var socket = hearer.Transport.GetExtraInfo(ExtraInfo.Socket)!.Duplicate();
            Span<byte> value = stackalloc byte[4];
            socket.GetRawSocketOption(1, 15, value);
            var transportSocket = hearer.Transport.GetExtraInfo(ExtraInfo.Socket)!;
            return (value[0], transportSocket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Broadcast),
                transportSocket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress));
        }
    });

    [Fact, Case("UDP-031")]
    public void An_endpoint_with_only_a_family_gets_its_port_from_its_first_send() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetworkV6));
        var sender = await run.OpenAsync(options: new DatagramOptions { AddressFamily = AddressFamily.InterNetworkV6 });
        Assert.Equal(0, ((IPEndPoint)DatagramRun.NameOf(sender)).Port);
        sender.Transport.SendTo("hello"u8, DatagramRun.NameOf(hearer));
        await hearer.WaitForAsync(1);

        Assert.Equal(((IPEndPoint)DatagramRun.NameOf(sender)).Port, ((IPEndPoint)hearer.Senders[0]!).Port);
        var socket = sender.Transport.GetExtraInfo(ExtraInfo.Socket)!;
        Assert.Equal((SocketType.Dgram, ProtocolType.Udp, AddressFamily.InterNetworkV6), (socket.SocketType, socket.ProtocolType, socket.AddressFamily));
        sender.Transport.Close();
        await sender.Lost;
        Assert.Equal(((IPEndPoint)hearer.Senders[0]!).Port, ((IPEndPoint)DatagramRun.NameOf(sender)).Port);
    });

    [Fact, Case("UDP-033")]
    public void A_port_that_is_taken_is_the_call_s_error() => DatagramRun.OnLoop(static async run =>
    {
        var first = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        var refused = await Assert.ThrowsAsync<SocketException>(() => run.OpenAsync(DatagramRun.NameOf(first)));
        Assert.Equal(SocketError.AddressAlreadyInUse, refused.SocketErrorCode);
    });

    [Fact]
    public void Sharing_endpoints_both_hear() => DatagramRun.OnLoop(static async run =>
    {
        var options = new DatagramOptions { ReusePort = true };
        var first = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), options: options);
        var second = await run.OpenAsync(DatagramRun.NameOf(first), options: options);
        for (var i = 0; first.Datagrams.Count == 0 || second.Datagrams.Count == 0; i++)
        {
            Assert.True(i < 200, "the kernel never chose one of them");
            var sender = await run.OpenAsync(remote: DatagramRun.NameOf(first));
            sender.Transport.SendTo("hello"u8);
            sender.Transport.Close();
            await sender.Lost;
        }
    });

    [Fact]
    public void A_sender_whose_end_point_its_user_changes_is_still_told_truly() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        var sender = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        var other = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        for (var i = 0; i < 3; i++)
        {
            sender.Transport.SendTo("a"u8, DatagramRun.NameOf(hearer));
            await hearer.WaitForAsync(2 * i + 1);
            Assert.Equal(DatagramRun.NameOf(sender), hearer.Senders[^1]);
            ((IPEndPoint)hearer.Senders[^1]!).Port = 1;
            other.Transport.SendTo("b"u8, DatagramRun.NameOf(hearer));
            await hearer.WaitForAsync(2 * i + 2);
            Assert.Equal(DatagramRun.NameOf(other), hearer.Senders[^1]);
        }

        Assert.Same(hearer.Senders[1], hearer.Senders[3]);
        Assert.NotSame(hearer.Senders[0], hearer.Senders[2]);
    });

    private static byte[] Payload(int size, int seed) => [.. Enumerable.Range(0, size).Select(i => (byte)(i * 31 + seed * 7 + (i >> 8)))];
}
