using System.Net;
using System.Net.Sockets;
using Sluice.Backends.Linux;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>How channels let go: FIN, reset, lingering.</summary>
public sealed class CloseTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly KernelBench _bench;

    public CloseTests() => _bench = new KernelBench(clock: _clock);

    public void Dispose() => _bench.Dispose();

    // Closing over unread input would reset the connection and destroy the reply on its way.
    [Theory, Case("BUG-012")]
    [EachFamily]
    public void A_peer_that_keeps_sending_still_gets_the_whole_reply(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        peer.Send(Bytes.Pattern(10_000));
        var reply = Bytes.Pattern(50_000);
        Assert.Equal(reply.Length, channel.TryWrite(default, reply, out _));
        channel.Close(reset: false);
        peer.Send(Bytes.Pattern(10_000));
        _bench.PollIdle();
        peer.Send(Bytes.Pattern(10_000));
        _bench.PollIdle();
        Assert.Equal(reply, Bytes.ReceiveExactly(peer, reply.Length));
        Assert.Equal(0, peer.Receive(new byte[1]));
        Assert.Equal(0, sink.Closes);
        peer.Close();
        _bench.PollUntil(() => sink.Closes == 1);
        Assert.Equal(0, sink.Reads);
        Assert.Equal(0, _bench.Backend.Lingering.Count);
    }

    [Fact]
    public void Lingering_ends_after_three_seconds()
    {
        var (channel, sink, _) = _bench.Connect(Family.IPv4);
        channel.Close(reset: false);
        _clock.Advance(LingeringQueue.Duration - TimeSpan.FromMilliseconds(1));
        _bench.PollIdle();
        Assert.Equal(0, sink.Closes);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        _bench.PollIdle();
        Assert.Equal(1, sink.Closes);
    }

    [Fact]
    public void Lingering_ends_when_the_peer_sends_without_end()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        channel.Close(reset: false);
        peer.Blocking = false;
        var flood = new byte[64 * 1024];
        var sent = 0;
        for (var i = 0; i < 1000 && sink.Closes == 0; i++)
        {
            try
            {
                sent += peer.Send(flood);
            }
            catch (SocketException exception) when (exception.SocketErrorCode == SocketError.WouldBlock)
            {
            }
            catch (SocketException)
            {
                break;
            }

            _bench.Backend.Poll(TimeSpan.Zero);
        }

        _bench.PollUntil(() => sink.Closes == 1);
        Assert.True(sent >= LingeringQueue.MaxDiscarded);
    }

    [Fact]
    public void A_channel_that_has_read_the_end_does_not_linger()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        channel.StartReading();
        peer.Shutdown(SocketShutdown.Send);
        _bench.PollUntil(() => sink.Ends.Count == 1);
        channel.Close(reset: false);
        Assert.Equal(0, _bench.Backend.Lingering.Count);
        Assert.Equal(0, sink.Closes);
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        Assert.Equal(1, sink.Closes);
        Assert.Equal(0, peer.Receive(new byte[1]));
    }

    [Fact, Case("BUG-143")]
    public void Far_more_than_a_thousand_linger_at_a_time()
    {
        const int Many = 1500;
        var sinks = CloseMany(Many);
        _bench.PollIdle();
        Assert.Equal(_bench.Backend.DescriptorLimit / 2, _bench.Backend.MaxLingering);
        Assert.Equal(Many, _bench.Backend.Lingering.Count);
        Assert.All(sinks, static sink => Assert.Equal(0, sink.Closes));
        Assert.Equal(0, _bench.Backend.CutConnections);
    }

    [Fact, Case("BUG-143")]
    public void No_more_linger_than_may_and_the_oldest_goes_first_and_is_counted()
    {
        _bench.Backend.MaxLingering = 5;
        var sinks = CloseMany(7);
        _bench.PollIdle();
        Assert.Equal(5, _bench.Backend.Lingering.Count);
        Assert.Equal([1, 1, 0, 0], sinks.Take(4).Select(sink => sink.Closes));
        Assert.Equal(2, _bench.Backend.CutConnections);
    }

    [Fact, Case("BUG-143")]
    public void An_accept_that_is_in_want_of_a_descriptor_takes_that_of_the_oldest_that_lingers()
    {
        var system = new FaultySyscalls();
        using var bench = new KernelBench(system);
        var (channel, sink, _) = bench.Connect(Family.IPv4);
        channel.Close(reset: false);
        var (listener, accepted) = bench.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        system.AcceptErrors.Enqueue(IoError.TooManyFiles);
        bench.Dial(listener.LocalName);
        bench.PollUntil(() => accepted.Accepted.Count == 1);
        bench.PollUntil(() => sink.Closes == 1);
        Assert.Empty(accepted.Failures);
        Assert.Equal(1, bench.Backend.CutConnections);
    }

    [Fact]
    public void A_reset_reaches_the_peer_as_a_reset()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        channel.Close(reset: true);
        Assert.Equal(0, sink.Closes);
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        Assert.Equal(1, sink.Closes);
        var exception = Assert.Throws<SocketException>(() => peer.Receive(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
    }

    [Fact]
    public void Closing_again_does_nothing()
    {
        var (channel, sink, _) = _bench.Connect(Family.IPv4);
        channel.Close(reset: true);
        channel.Close(reset: false);
        channel.StartReading();
        channel.ShutdownWrite();
        _bench.PollIdle();
        Assert.Equal(1, sink.Closes);
    }

    [Fact]
    public void Disposing_of_the_backend_lets_lingering_connections_go_and_calls_nobody()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        channel.Close(reset: false);
        _bench.Backend.Dispose();
        Assert.Equal(0, peer.Receive(new byte[1]));
        Assert.Equal(0, sink.Closes);
    }

    [Fact]
    public void A_backend_disposed_of_inside_a_callback_reports_nothing_more()
    {
        var (first, firstSink, firstPeer) = _bench.Connect(Family.IPv4);
        var (second, secondSink, secondPeer) = _bench.Connect(Family.IPv4);
        firstSink.WhenRead = secondSink.WhenRead = _ => _bench.Backend.Dispose();
        first.StartReading();
        second.StartReading();
        firstPeer.Send("x"u8);
        secondPeer.Send("x"u8);
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        Assert.Equal(1, firstSink.Reads + secondSink.Reads);
        Assert.Throws<ObjectDisposedException>(() => _bench.Backend.Poll(TimeSpan.Zero));
    }

    private List<RecordingStreamSink> CloseMany(int count)
    {
        var (listener, accepted) = _bench.Listen(new IPEndPoint(IPAddress.Loopback, 0));
        var sinks = new List<RecordingStreamSink>();
        accepted.WhenAccepted = channel =>
        {
            sinks.Add(new RecordingStreamSink());
            channel.Attach(sinks[^1]);
            channel.Close(reset: false);
        };
        for (var i = 0; i < count; i++)
        {
            _bench.Dial(listener.LocalName);
            _bench.PollUntil(() => accepted.Accepted.Count == i + 1);
        }

        return sinks;
    }
}
