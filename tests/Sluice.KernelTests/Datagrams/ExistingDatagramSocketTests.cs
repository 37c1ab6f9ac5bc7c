using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Datagrams.Kit;
using Sluice.Native;

namespace Sluice.KernelTests.Datagrams;

/// <summary>Datagram sockets that the program made.</summary>
public sealed class ExistingDatagramSocketTests
{
    [Theory, Case("UDP-026")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_socket_that_was_used_by_hand_goes_on_as_an_endpoint(bool connected) => DatagramRun.OnLoop(async run =>
    {
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        peer.Bind(DatagramRun.Any(AddressFamily.InterNetwork));
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(DatagramRun.Any(AddressFamily.InterNetwork));
        if (connected) socket.Connect(peer.LocalEndPoint!);
        var name = socket.LocalEndPoint!;
        peer.SendTo("early"u8, name);

        var (transport, hearer) = await run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), socket);
        await hearer.WaitForAsync(1);
        Assert.Equal("early"u8, hearer.Datagrams[0]);
        Assert.Equal(name, transport.GetExtraInfo(ExtraInfo.SocketName));
        Assert.Equal(connected ? peer.LocalEndPoint : null, transport.GetExtraInfo(ExtraInfo.PeerName));
        if (connected) Assert.Throws<ArgumentException>(() => transport.SendTo("x"u8, name));
        else Assert.Throws<ArgumentException>(() => transport.SendTo("x"u8));
        transport.SendTo("answer"u8, hearer.Senders[0]);
        transport.Close();
        Assert.Null(await hearer.Lost);
        var buffer = new byte[10];
        Assert.Equal(6, peer.Receive(buffer));
        Assert.True(socket.SafeHandle.IsClosed);
        Assert.Throws<ObjectDisposedException>(() => { _ = run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), socket); });
    });

    [Fact, Case("UDP-027")]
    public void What_is_no_datagram_socket_is_refused_at_the_call_and_stays_the_callers() => DatagramRun.OnLoop(static run =>
    {
        using var stream = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<ArgumentException>(() => { _ = run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), stream); });
        using var datagram = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Assert.Throws<ArgumentException>(() => { _ = run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), datagram, new DatagramOptions { ReusePort = true }); });
        stream.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        datagram.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return Task.CompletedTask;
    });

    [Fact, Case("UDP-026", "BUG-160")]
    public void A_socket_of_a_family_without_end_points_says_so_and_takes_no_addresses_of_others() => DatagramRun.OnLoop(static async run =>
    {
        const int Netlink = 16;
        var number = Syscalls.System.DatagramSocket(Netlink, out var error);
        if (!error.IsNone) Assert.Skip($"No netlink socket: {error}");
        var hearer = new Hearer();
        var (transport, _) = await run.Loop.AdoptDatagramAsync(() => hearer, new SafeSocketHandle(number, ownsHandle: true));
        Assert.Equal(AddressFamily.Unknown, transport.GetExtraInfo(ExtraInfo.Socket)!.AddressFamily);
        Assert.Null(transport.GetExtraInfo(ExtraInfo.SocketName));
        Assert.Throws<ArgumentException>(() => transport.SendTo("x"u8, run.Named("other")));
        transport.Close();
        Assert.Null(await hearer.Lost);
    });

    [Fact, Case("UDP-026")]
    public void A_socket_that_its_user_forgets_on_another_thread_is_not_collected_before_it_is_taken_over() => DatagramRun.OnLoop(static async run =>
    {
        var hearer = await Task.Run(() => Open(run.Loop));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        hearer.Transport.SendTo("me"u8, DatagramRun.NameOf(hearer));
        await hearer.WaitForAsync(1);

        static async Task<Hearer> Open(EventLoop loop)
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return (await loop.CreateDatagramEndpointAsync(static () => new Hearer(), socket)).Protocol;
        }
    });

    [Theory, Case("UDP-048")]
    [InlineData(AddressFamily.InterNetwork, 0, 11)]
    [InlineData(AddressFamily.InterNetworkV6, 41, 25)]
    public void Errors_that_a_socket_also_queues_do_not_keep_the_loop_awake(AddressFamily family, int level, int receiveErrors)
    {
        var system = new FaultySyscalls();
        DatagramRun.OnLoop(async run =>
        {
            var gone = await run.OpenAsync(DatagramRun.Any(family));
            var address = DatagramRun.NameOf(gone);
            gone.Transport.Close();
            await gone.Lost;
            var socket = new Socket(family, SocketType.Dgram, ProtocolType.Udp);
            socket.Bind(DatagramRun.Any(family));
            socket.SetRawSocketOption(level, receiveErrors, BitConverter.GetBytes(1));
            var (transport, hearer) = await run.Loop.CreateDatagramEndpointAsync(static () => new Hearer(), socket);
            for (var i = 1; i <= 3; i++)
            {
                transport.SendTo("anyone?"u8, address);
                await hearer.WaitForErrorsAsync(i);
            }

            // A wait of the kernel's that finds nothing to report.
            while (system.LastEvents != 0) await Task.Yield();
            transport.SendTo("me"u8, DatagramRun.NameOf(hearer));
            await hearer.WaitForAsync(1);
            Assert.All(hearer.Errors, static error => Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error).SocketErrorCode));
        }, system);
    }
}
