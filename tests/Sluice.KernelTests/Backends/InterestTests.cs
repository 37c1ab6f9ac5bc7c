using System.Net.Sockets;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>Which events reach whom, and what wakes the loop.</summary>
[Collection(nameof(CostTests))]
public sealed class InterestTests : IDisposable
{
    private readonly FaultySyscalls _system = new();
    private readonly KernelBench _bench;

    public InterestTests() => _bench = new KernelBench(_system);

    public void Dispose() => _bench.Dispose();

    [Fact, Case("BUG-018")]
    public void A_stopped_channel_costs_one_wake_up_whatever_its_peer_does()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        channel.StartReading();
        channel.StopReading();
        peer.Send("x"u8);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        var receives = _system.Receives;
        var controls = _system.EpollControls;
        _bench.PollIdle();
        Assert.Equal(receives, _system.Receives);
        Assert.Equal(controls, _system.EpollControls);
        Assert.Equal(0, sink.Reads);

        channel.StartReading();
        _bench.PollUntil(() => sink.Ends.Count == 1);
        Assert.Equal("x"u8.ToArray(), sink.Received);
    }

    [Fact]
    public void A_stop_that_is_undone_before_an_event_costs_no_system_call()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        channel.StartReading();
        var controls = _system.EpollControls;
        channel.StopReading();
        channel.StartReading();
        peer.Send("x"u8);
        _bench.PollUntil(() => sink.Reads == 1);
        Assert.Equal(controls, _system.EpollControls);
    }

    // A half-open connection with a full send buffer must not wake the loop.
    [Fact, Case("BUG-018")]
    public void An_ended_peer_that_does_not_read_causes_no_wake_ups()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        var flood = new byte[256 * 1024];
        while (channel.TryWrite(default, flood, out _) > 0)
        {
        }

        channel.StartReading();
        channel.StartWrite(Bytes.Chain([1], 1));
        peer.Shutdown(SocketShutdown.Send);
        _bench.PollUntil(() => sink.Ends.Count == 1);
        _bench.PollIdle();
        var controls = _system.EpollControls;
        var sends = _system.Sends;
        _bench.PollIdle();
        Assert.Equal(controls, _system.EpollControls);
        Assert.Equal(sends, _system.Sends);
        Assert.Empty(sink.Writes);
    }

    [Fact]
    public void A_reset_with_only_a_write_outstanding_ends_that_write()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        var flood = new byte[256 * 1024];
        while (channel.TryWrite(default, flood, out _) > 0)
        {
        }

        channel.StartWrite(Bytes.Chain([1], 1));
        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        _bench.PollUntil(() => sink.Writes.Count == 1);
        Assert.Equal(IoError.ConnectionReset, sink.Writes[0].Error);
    }

    // Both events are fetched in one batch; the first callback closes the second channel, and a new one gets its number.
    [Fact, Case("BUG-047")]
    public void An_event_for_a_closed_channel_is_dropped_though_its_number_is_in_use_again()
    {
        (StreamChannel Channel, RecordingStreamSink Sink, Socket Peer)[] channels = [_bench.Connect(Family.IPv4), _bench.Connect(Family.IPv4)];
        foreach (var (channel, _, peer) in channels)
        {
            channel.StartReading();
            peer.Send("x"u8);
        }

        var successor = new RecordingStreamSink();
        var (near, far) = SocketPairs.Create();
        using var successorsPeer = far;
        void CloseOtherAndTakeItsNumber(int other)
        {
            var number = channels[other].Channel.Socket!.Handle;
            _system.LowestDuplicate = (int)number;
            channels[other].Channel.Close(reset: true);
            var adopted = _bench.Backend.Adopt(near.SafeHandle, ConnectionOptions.Default);
            Assert.Equal(number, adopted.Socket!.Handle);
            adopted.Attach(successor);
            adopted.StartReading();
        }

        channels[0].Sink.WhenRead = _ => CloseOtherAndTakeItsNumber(1);
        channels[1].Sink.WhenRead = _ => CloseOtherAndTakeItsNumber(0);
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        Assert.Equal(1, channels.Sum(each => each.Sink.Reads));
        Assert.Equal(0, successor.Reads);
        Assert.Empty(successor.Ends);
    }

    [Fact]
    public void A_channel_that_the_kernel_cannot_watch_is_told_from_Poll()
    {
        var (reader, readerSink, _) = _bench.Connect(Family.IPv4);
        var (writer, writerSink, _) = _bench.Connect(Family.IPv4);
        _system.EpollAddError = IoError.OutOfMemory;
        reader.StartReading();
        writer.StartWrite(Bytes.Chain([1], 1));
        Assert.Empty(readerSink.Ends);
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        Assert.Equal([IoError.OutOfMemory], readerSink.Ends);
        Assert.Equal([(0, IoError.OutOfMemory)], writerSink.Writes);
    }
}
