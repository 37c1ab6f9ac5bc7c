using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;

namespace Sluice.KernelTests.Backends;

/// <summary>What users can see and do with the socket below a transport.</summary>
public sealed class TransportSocketTests : IDisposable
{
    private readonly KernelBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [EachFamily]
    public void It_tells_what_it_is_and_is_the_same_object_each_time(Family family)
    {
        var (channel, _, peer) = _bench.Connect(family);
        var socket = channel.Socket!;
        Assert.Same(socket, channel.Socket);
        Assert.True(socket.Handle > 2);
        Assert.Equal(peer.AddressFamily, socket.AddressFamily);
        Assert.Equal(SocketType.Stream, socket.SocketType);
        Assert.Equal(family == Family.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp, socket.ProtocolType);
        Assert.Equal(channel.LocalName, socket.LocalEndPoint);
        Assert.Equal(channel.PeerName, socket.RemoteEndPoint);
    }

    [Fact]
    public void Options_are_read_and_set()
    {
        var (channel, _, _) = _bench.Connect(Family.IPv4);
        var socket = channel.Socket!;
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1);
        Assert.Equal(1, socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 77);
        using var duplicate = socket.Duplicate();
        Assert.Equal(77, duplicate.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime));
        Assert.Throws<SocketException>(() => socket.GetSocketOption(SocketOptionLevel.Udp, SocketOptionName.NoDelay));
    }

    [Theory]
    [InlineData(SocketOptionName.SendTimeout)]
    [InlineData(SocketOptionName.ReceiveTimeout)]
    public void Time_outs_are_refused(SocketOptionName name)
    {
        var (channel, _, _) = _bench.Connect(Family.IPv4);
        Assert.Throws<ArgumentException>(() => channel.Socket!.SetSocketOption(SocketOptionLevel.Socket, name, 1));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void After_the_close_there_is_nothing_to_see(bool reset)
    {
        var (channel, _, _) = _bench.Connect(Family.IPv4);
        var socket = channel.Socket!;
        channel.Close(reset);
        Assert.Equal(-1, socket.Handle);
        Assert.Throws<ObjectDisposedException>(() => socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.Throws<ObjectDisposedException>(() => socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, 1));
        Assert.Throws<ObjectDisposedException>(socket.Duplicate);
        Assert.NotNull(socket.RemoteEndPoint);
    }

    [Theory]
    [EachFamily]
    public void Disposing_of_a_duplicate_leaves_the_connection_alone(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        channel.Socket!.Duplicate().Dispose();
        channel.StartReading();
        peer.Send("ping"u8);
        _bench.PollUntil(() => sink.Received.Length == 4);
        _bench.PollIdle();
        Assert.Equal(4, channel.TryWrite(default, "pong"u8, out _));
        Assert.Equal("pong"u8.ToArray(), Bytes.ReceiveExactly(peer, 4));
    }

    [Theory]
    [EachFamily]
    public void A_graceful_close_ends_the_stream_though_a_duplicate_is_open(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        using var duplicate = channel.Socket!.Duplicate();
        channel.StartReading();
        peer.Shutdown(SocketShutdown.Send);
        _bench.PollUntil(() => sink.Ends.Count == 1);
        channel.Close(reset: false);
        Assert.Equal(0, peer.Receive(new byte[1]));
    }

    [Fact]
    public void An_abortive_linger_left_by_a_duplicate_does_not_reset_a_graceful_close()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        using (var duplicate = channel.Socket!.Duplicate()) duplicate.LingerState = new LingerOption(true, 0);
        channel.TryWrite(default, "reply"u8, out _);
        channel.Close(reset: false);
        peer.Shutdown(SocketShutdown.Send);
        _bench.PollUntil(() => sink.Closes == 1);
        Assert.Equal("reply"u8.ToArray(), Bytes.ReceiveExactly(peer, 5));
        Assert.Equal(0, peer.Receive(new byte[1]));
    }

    [Fact, Case("TCP-073")]
    public void A_duplicate_that_made_the_socket_blocking_cannot_make_the_loop_wait()
    {
        var (channel, sink, _) = _bench.Connect(Family.IPv4);
        using var duplicate = channel.Socket!.Duplicate();
        duplicate.Blocking = false;
        duplicate.Blocking = true;
        var flood = new byte[256 * 1024];
        while (channel.TryWrite(default, flood, out var error) > 0) Assert.True(error.IsNone);
        channel.StartReading();
        _bench.PollIdle();
        Assert.Empty(sink.Ends);
    }
}
