using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>Bytes in and out of a channel, on every address family.</summary>
public sealed class StreamTests : IDisposable
{
    private readonly KernelBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Theory]
    [EachFamily]
    public void Bytes_arrive_and_leave_unchanged(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        channel.StartReading();
        peer.Send("ping"u8);
        _bench.PollUntil(() => sink.Received.Length == 4);
        Assert.Equal("ping"u8.ToArray(), sink.Received);

        Assert.Equal(4, channel.TryWrite(default, "pong"u8, out var error));
        Assert.True(error.IsNone);
        Assert.Equal("pong"u8.ToArray(), Bytes.ReceiveExactly(peer, 4));
    }

    [Theory, Case("BUG-017")]
    [EachFamily]
    public void The_end_of_the_peers_stream_is_reported_once_and_after_all_bytes(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        var sent = Bytes.Pattern(100_000);
        peer.Send(sent);
        peer.Shutdown(SocketShutdown.Send);
        channel.StartReading();
        _bench.PollUntil(() => sink.Ends.Count == 1);
        Assert.Equal(sent, sink.Received);
        Assert.True(sink.Ends[0].IsNone);
        _bench.PollIdle();
        Assert.Single(sink.Ends);
    }

    [Theory]
    [EachFamily]
    public void A_half_closed_channel_still_receives(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        channel.StartReading();
        channel.ShutdownWrite();
        Assert.Equal(0, peer.Receive(new byte[1]));
        peer.Send("late"u8);
        _bench.PollUntil(() => sink.Received.Length == 4);
        Assert.Empty(sink.Ends);
    }

    [Theory]
    [EachFamily]
    public void A_channel_whose_peer_has_ended_still_sends(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        channel.StartReading();
        peer.Shutdown(SocketShutdown.Send);
        _bench.PollUntil(() => sink.Ends.Count == 1);
        channel.TryWrite(default, "reply"u8, out _);
        Assert.Equal("reply"u8.ToArray(), Bytes.ReceiveExactly(peer, 5));
    }

    [Theory]
    [EachFamily]
    public void Names_are_answered_after_the_close(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        var (local, remote) = (peer.RemoteEndPoint!, peer.LocalEndPoint);
        channel.Close(reset: true);
        _bench.PollUntil(() => sink.Closes == 1);
        Assert.Equal(local.ToString(), channel.LocalName!.ToString());
        if (family == Family.Unix) Assert.Null(channel.PeerName);
        else Assert.Equal(remote, channel.PeerName);
    }

    [Fact]
    public void A_wildcard_listeners_connections_know_their_own_local_address()
    {
        var (listener, sink) = _bench.Listen(new IPEndPoint(IPAddress.Any, 0));
        var address = new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalName).Port);
        _bench.Dial(address);
        _bench.Dial(address);
        _bench.PollUntil(() => sink.Accepted.Count == 2);
        Assert.Equal(address, sink.Accepted[0].LocalName);
        Assert.Same(sink.Accepted[0].LocalName, sink.Accepted[1].LocalName);
        sink.Accepted[0].Close(reset: true);
        Assert.Equal(address, sink.Accepted[0].LocalName);
    }

    [Fact]
    public void A_reset_is_reported_after_the_bytes_before_it()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        peer.Send("last words"u8);
        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        channel.StartReading();
        _bench.PollUntil(() => sink.Ends.Count == 1);
        Assert.Equal("last words"u8.ToArray(), sink.Received);
        Assert.Equal(IoError.ConnectionReset, sink.Ends[0]);
    }

    [Fact]
    public void A_sink_with_memory_of_its_own_is_filled_in_place()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        sink.Target = new byte[3];
        channel.AsksForTarget = true;
        channel.StartReading();
        peer.Send("abcdef"u8);
        _bench.PollUntil(() => sink.Received.Length == 6);
        Assert.Equal("abcdef"u8.ToArray(), sink.Received);
        Assert.Equal(2, sink.Reads);
    }

    [Fact]
    public void A_sink_without_memory_gets_the_shared_buffer()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        channel.AsksForTarget = true;
        channel.StartReading();
        peer.Send("abcdef"u8);
        _bench.PollUntil(() => sink.Received.Length == 6);
        Assert.Equal(1, sink.Reads);
    }

    [Fact]
    public void A_sink_that_stops_or_closes_while_it_is_asked_for_memory_gets_nothing()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        sink.Target = new byte[10];
        sink.WhenAskedForTarget = channel.StopReading;
        channel.AsksForTarget = true;
        channel.StartReading();
        peer.Send("x"u8);
        _bench.PollIdle();
        Assert.Equal(0, sink.Reads);

        sink.WhenAskedForTarget = () => channel.Close(reset: true);
        channel.StartReading();
        _bench.PollUntil(() => sink.Closes == 1);
        Assert.Equal(0, sink.Reads);
    }
}
