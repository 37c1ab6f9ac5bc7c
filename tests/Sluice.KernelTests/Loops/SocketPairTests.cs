using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Loops;

/// <summary>SocketPair, and transports that take over one end of it.</summary>
public sealed class SocketPairTests
{
    [Fact]
    public void Both_ends_are_connected_streams_that_block()
    {
        var (first, second) = SocketPair.Create();
        using (first)
        using (second)
        {
            Assert.All(new[] { first, second }, static socket =>
            {
                Assert.True(socket.Connected);
                Assert.True(socket.Blocking);
                Assert.Equal((AddressFamily.Unix, SocketType.Stream), (socket.AddressFamily, socket.SocketType));
            });

            var received = new byte[5];
            var reader = Threads.Begin(() => Assert.Equal(5, second.Receive(received)));
            first.Send("hello"u8);
            reader.Join();
            Assert.Equal("hello"u8, received);
            second.Send("world"u8);
            Assert.Equal(5, first.Receive(received));
            Assert.Equal("world"u8, received);
        }
    }

    [Fact]
    public async Task Both_ends_work_asynchronously_and_see_each_other_s_end()
    {
        var (first, second) = SocketPair.Create();
        using var peer = second;
        await first.SendAsync("data"u8.ToArray());
        first.Dispose();

        var received = new byte[16];
        Assert.Equal(4, await peer.ReceiveAsync(received));
        Assert.Equal(0, await peer.ReceiveAsync(received));
    }

    [Fact]
    public void A_transport_takes_one_end_over_while_the_other_is_used_directly() => LoopKernel.Epoll.Run(async loop =>
    {
        var (first, second) = SocketPair.Create();
        using var peer = second;
        var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), first);
        loop.CallSoon(() => peer.Send("abc"u8));

        await protocol.WaitForBytesAsync(3);
        Assert.Equal("abc"u8, protocol.Received);
        transport.Write("reply"u8);
        var received = new byte[5];
        Assert.Equal(5, await peer.ReceiveAsync(received));
        Assert.Equal("reply"u8, received);

        peer.Shutdown(SocketShutdown.Send);
        Assert.Null(await protocol.Lost);
        Assert.Equal(["ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)"], protocol.Record.Shape);
        Assert.Equal(0, await peer.ReceiveAsync(received));
    });

    [Fact]
    public void Disposing_of_a_socket_that_a_transport_has_taken_over_changes_nothing() => LoopKernel.Epoll.Run(static async loop =>
    {
        var (first, second) = SocketPair.Create();
        using var peer = second;
        var (transport, _) = await loop.CreateConnectionAsync(RecordingProtocol.Echo, first);
        first.Dispose();
        peer.Send("data"u8);

        Assert.Equal(4, await peer.ReceiveAsync(new byte[16]));
        Assert.False(transport.IsClosing);
    });

    [Fact]
    public async Task A_socket_that_is_forgotten_on_its_way_to_the_loop_stays_open()
    {
        await using var loop = EventLoop.Start();
        using var hold = new ManualResetEventSlim();
        var (connecting, peer) = HandOver(loop, hold);
        using var held = peer;
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        hold.Set();
        var (_, protocol) = await connecting;
        peer.Send("data"u8);
        await protocol.WaitForBytesAsync(4);
    }

    [Fact]
    public void Two_transports_talk_over_a_pair() => LoopKernel.Epoll.Run(async loop =>
    {
        var (first, second) = SocketPair.Create();
        var (client, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), first);
        await loop.CreateConnectionAsync(RecordingProtocol.Echo, second);
        client.Write("ping"u8);

        await protocol.WaitForBytesAsync(4);
        client.Close();
        Assert.Null(await protocol.Lost);
    });

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (Task<(ITransport Transport, RecordingProtocol Protocol)> Connecting, Socket Peer) HandOver(EventLoop loop, ManualResetEventSlim hold)
    {
        loop.CallSoonThreadSafe(() => hold.Wait());
        var (first, second) = SocketPair.Create();
        return (loop.CreateConnectionAsync(static () => new RecordingProtocol(), first), second);
    }
}
