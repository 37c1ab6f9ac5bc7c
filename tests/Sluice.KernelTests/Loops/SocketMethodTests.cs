using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>
/// The methods of .NET's own Socket on a loop, in the place of asyncio's <c>sock_…</c> methods: what is awaited completes on other threads and goes on
/// on the loop's.
/// </summary>
public sealed class SocketMethodTests
{
    [Theory, Case("SOCK-002")]
    [EachFamily]
    public void Connect_send_and_receive_go_on_on_the_loop(Family family) => Run(async loop =>
    {
        using var folder = new TemporaryFolder();
        var (client, server) = await ConnectAsync(loop, family, folder.Path);
        using (client)
        using (server)
        {
            var hello = "hello"u8.ToArray();
            Assert.Equal(5, await On(loop, client.SendAsync(hello)));
            var given = new byte[10];
            Assert.Equal(5, await On(loop, server.ReceiveAsync(given.AsMemory(2))));
            Assert.Equal([0, 0, .. hello, 0, 0, 0], given);
            client.Shutdown(SocketShutdown.Send);
            Assert.Equal(0, await On(loop, server.ReceiveAsync(given)));
        }
    });

    [Theory, Case("SOCK-003")]
    [EachFamily]
    public void A_million_bytes_arrive_in_order_while_they_are_sent(Family family) => Run(async loop =>
    {
        using var folder = new TemporaryFolder();
        var (client, server) = await ConnectAsync(loop, family, folder.Path);
        using (client)
        using (server)
        {
            var data = Bytes.Pattern(1_000_000);
            var sending = SendAllAsync(loop, client, data);
            Assert.Equal(data, await ReceiveToEndAsync(loop, server));
            await sending;
        }
    });

    [Fact, Case("SOCK-004")]
    public void Datagrams_carry_their_bytes_and_their_senders_address() => Run(async loop =>
    {
        using var one = BoundDatagramSocket();
        using var two = BoundDatagramSocket();
        var buffer = new byte[5000];
        var receiving = two.ReceiveFromAsync(buffer.AsMemory(0, 4096), new IPEndPoint(IPAddress.Any, 0));
        Assert.False(receiving.IsCompleted);
        var data = Bytes.Pattern(4096);
        Assert.Equal(4096, await On(loop, one.SendToAsync(data, two.LocalEndPoint!)));

        var received = await On(loop, receiving);

        Assert.Equal(4096, received.ReceivedBytes);
        Assert.Equal(one.LocalEndPoint, received.RemoteEndPoint);
        Assert.Equal([.. data, .. new byte[904]], buffer);
    });

    [Fact, Case("SOCK-005")]
    public void A_port_that_nobody_listens_at_refuses() => Run(async loop =>
    {
        using var unheard = new Socket(SocketType.Stream, ProtocolType.Tcp);
        unheard.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var port = ((IPEndPoint)unheard.LocalEndPoint!).Port;

        var refused = await Assert.ThrowsAsync<SocketException>(() => client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port)));

        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        Assert.Same(loop, EventLoop.TryGetCurrent());
    });

    [Fact, Case("SOCK-006")]
    public void An_accept_that_is_cancelled_takes_nobody_and_a_closed_listener_refuses() => Run(async loop =>
    {
        using var listener = Listener(backlog: 10);
        var address = listener.LocalEndPoint!;
        using var cancellation = new CancellationTokenSource();
        var accepting = listener.AcceptAsync(cancellation.Token).AsTask();
        loop.CallLater(TimeSpan.FromMilliseconds(1), cancellation.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => accepting);
        Assert.Same(loop, EventLoop.TryGetCurrent());

        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await On(loop, client.ConnectAsync(address));
        using (var accepted = await On(loop, listener.AcceptAsync())) Assert.Equal(client.LocalEndPoint, accepted.RemoteEndPoint);

        listener.Dispose();
        using var late = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(address));
    });

    [Theory, Case("SOCK-007")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_receive_after_a_cancelled_one_gets_the_data(bool dataComesFirst) => Run(async loop =>
    {
        var (client, server) = SocketPair.Create();
        using (client)
        using (server)
        {
            using var cancellation = new CancellationTokenSource();
            var buffer = new byte[10];
            var lost = new byte[10];
            var receiving = server.ReceiveAsync(lost.AsMemory(), cancellation.Token).AsTask();
            if (dataComesFirst) client.Send("data"u8);
            await cancellation.CancelAsync();
            var first = 0;
            try
            {
                // The data may have come before the cancellation: then it is the first one's.
                first = await On(loop, new ValueTask<int>(receiving));
            }
            catch (OperationCanceledException)
            {
                Assert.Same(loop, EventLoop.TryGetCurrent());
            }

            if (!dataComesFirst) client.Send("data"u8);
            var second = first > 0 ? 0 : await On(loop, server.ReceiveAsync(buffer.AsMemory()));
            byte[] received = [.. lost[..first], .. buffer[..second]];
            Assert.Equal("data"u8.ToArray(), received);
        }
    });

    [Fact, Case("SOCK-008")]
    public void What_is_sent_after_a_cancelled_send_comes_last() => Run(async loop =>
    {
        var (client, server) = SocketPair.Create();
        using (client)
        using (server)
        {
            var data = Bytes.Pattern(16 * 1024 * 1024);
            using var cancellation = new CancellationTokenSource();
            var sending = client.SendAsync(data.AsMemory(), cancellation.Token).AsTask();
            await cancellation.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sending);
            Assert.Same(loop, EventLoop.TryGetCurrent());

            // The cancelled one may have sent a part, and does not say how much.
            var last = SendAllAsync(loop, client, "last"u8.ToArray());
            var received = await ReceiveToEndAsync(loop, server);
            await last;
            Assert.Equal("last"u8.ToArray(), received[^4..]);
            Assert.True(data.AsSpan(0, received.Length - 4).SequenceEqual(received.AsSpan(0, received.Length - 4)));
        }
    });

    [Fact, Case("SOCK-009")]
    public void A_connect_that_is_cancelled_leaves_the_way_free_for_another_socket() => Run(async loop =>
    {
        using var listener = Listener(backlog: 0);
        using var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        filler.Connect(listener.LocalEndPoint!);
        using (var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            using var cancellation = new CancellationTokenSource();
            var connecting = client.ConnectAsync(listener.LocalEndPoint!, cancellation.Token).AsTask();
            loop.CallLater(TimeSpan.FromMilliseconds(1), cancellation.Cancel);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
            Assert.Same(loop, EventLoop.TryGetCurrent());
        }

        using var accepted = await On(loop, listener.AcceptAsync());
        using var another = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await On(loop, another.ConnectAsync(listener.LocalEndPoint!));
    });

    [Fact, Case("SOCK-011")]
    public void A_name_is_resolved_in_the_family_that_the_end_point_asks_for() => Run(async loop =>
    {
        using var listener = Listener(backlog: 10);
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        await On(loop, client.ConnectAsync(new DnsEndPoint("localhost", ((IPEndPoint)listener.LocalEndPoint!).Port, AddressFamily.InterNetwork)));

        Assert.Equal(listener.LocalEndPoint, client.RemoteEndPoint);
    });

    private static void Run(Func<EventLoop, Task> test) => LoopKernel.Epoll.Run(test);

    /// <summary>Awaits, and then is on the loop.</summary>
    private static async Task<T> On<T>(EventLoop loop, ValueTask<T> operation)
    {
        var result = await operation;
        Assert.Same(loop, EventLoop.TryGetCurrent());
        return result;
    }

    private static async Task<T> On<T>(EventLoop loop, Task<T> operation) => await On(loop, new ValueTask<T>(operation));

    private static async Task On(EventLoop loop, Task operation)
    {
        await operation;
        Assert.Same(loop, EventLoop.TryGetCurrent());
    }

    private static async Task<(Socket Client, Socket Server)> ConnectAsync(EventLoop loop, Family family, string folder)
    {
        EndPoint address = family switch
        {
            Family.IPv4 => new IPEndPoint(IPAddress.Loopback, 0),
            Family.IPv6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
            _ => new UnixDomainSocketEndPoint(Path.Combine(folder, "socket")),
        };
        using var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(address);
        listener.Listen();
        var accepting = listener.AcceptAsync();
        var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await On(loop, client.ConnectAsync(listener.LocalEndPoint!));
        return (client, await On(loop, accepting));
    }

    private static async Task SendAllAsync(EventLoop loop, Socket socket, byte[] data)
    {
        // A stream socket's SendAsync completes when all is sent.
        Assert.Equal(data.Length, await On(loop, socket.SendAsync(data.AsMemory())));
        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<byte[]> ReceiveToEndAsync(EventLoop loop, Socket socket)
    {
        using var received = new MemoryStream();
        var buffer = new byte[64 * 1024];
        while (await On(loop, socket.ReceiveAsync(buffer.AsMemory())) is > 0 and var count) received.Write(buffer, 0, count);
        return received.ToArray();
    }

    private static Socket Listener(int backlog)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog);
        return listener;
    }

    private static Socket BoundDatagramSocket()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }

    private sealed class TemporaryFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");

        public string Path => _folder.FullName;

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
