using Sluice.Primitives;
using Sluice.Testing;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>A simulated connection behaves as one of Linux does, seen through the seam.</summary>
public sealed class SimulatedStreamTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void The_end_comes_after_all_data_and_leaves_the_other_direction_open()
    {
        var pair = new ChannelPair();
        pair.Client.StartReading();
        pair.Server.StartReading();

        Assert.Equal(5, pair.Server.TryWrite(default, "hello"u8, out _));
        pair.Server.ShutdownWrite();
        pair.PollFor(Soon);
        pair.Client.TryWrite(default, "back"u8, out _);
        pair.PollFor(Soon);

        Assert.Equal(["read 5", "end"], pair.ClientSink.Events);
        Assert.Equal("back", pair.ServerSink.Text);
    }

    [Fact]
    public void After_a_reset_a_reader_gets_what_had_arrived_and_then_the_error()
    {
        var pair = new ChannelPair();
        pair.Server.TryWrite(default, "last"u8, out _);
        pair.Server.Close(reset: true);
        pair.PollFor(Soon);

        pair.Client.StartReading();
        pair.PollFor(Soon);

        Assert.Equal(["read 4", "end ConnectionReset"], pair.ClientSink.Events);
    }

    [Fact]
    public void After_a_reset_the_first_write_fails_with_it_and_the_next_with_a_broken_pipe()
    {
        var pair = new ChannelPair();
        pair.Server.Close(reset: true);
        pair.PollFor(Soon);

        pair.Client.TryWrite(default, "x"u8, out var first);
        pair.Client.TryWrite(default, "x"u8, out var second);
        pair.Client.StartReading();
        pair.PollFor(Soon);

        Assert.Equal(IoError.ConnectionReset, first);
        Assert.Equal(IoError.BrokenPipe, second);
        Assert.Equal(["end"], pair.ClientSink.Events);
    }

    [Fact]
    public void A_unix_socket_closed_over_unread_bytes_resets_its_peer_after_what_had_arrived()
    {
        var pair = new ChannelPair(isUnix: true);
        pair.Client.TryWrite(default, "unread"u8, out _);
        pair.Server.TryWrite(default, "reply"u8, out _);
        pair.Server.Close(reset: true);

        pair.Client.TryWrite(default, "x"u8, out var error);
        pair.Client.StartReading();
        pair.PollFor(Soon);

        Assert.Equal(IoError.BrokenPipe, error);
        Assert.Equal(["read 5", "end ConnectionReset"], pair.ClientSink.Events);
    }

    [Fact]
    public void A_full_window_refuses_writes_and_a_read_lets_the_outstanding_one_complete()
    {
        var pair = new ChannelPair(SimulationOptions.Faithful with { SendBufferSize = 100, ReceiveBufferSize = 50 });
        var pool = new SegmentPool();
        var queue = new WriteQueue();
        queue.Append(pool, new byte[40]);

        Assert.Equal(150, pair.Server.TryWrite(default, new byte[200], out var error));
        Assert.True(error.IsNone);
        Assert.Equal(0, pair.Server.TryWrite(queue.View, default, out error));
        Assert.True(error.IsNone);
        pair.Server.StartWrite(queue.View);
        pair.PollFor(Soon);
        Assert.Empty(pair.ServerSink.Events);

        pair.Client.StartReading();
        pair.PollFor(Soon);

        Assert.Equal(["written 40"], pair.ServerSink.Events);
        Assert.Equal(190, pair.ClientSink.Text.Length);
    }

    [Fact]
    public void A_graceful_close_discards_what_the_peer_still_sends_and_lets_go_after_three_seconds()
    {
        var pair = new ChannelPair();
        pair.Server.Close(reset: false);
        pair.Client.StartReading();
        pair.PollFor(Soon);
        Assert.Equal(["end"], pair.ClientSink.Events);

        pair.Client.TryWrite(default, "still talking"u8, out var duringLinger);
        pair.PollFor(TimeSpan.FromSeconds(2.9));
        Assert.Empty(pair.ServerSink.Events);
        pair.PollFor(TimeSpan.FromSeconds(0.2));
        Assert.Equal(["closed"], pair.ServerSink.Events);

        pair.Client.TryWrite(default, "x"u8, out var intoTheVoid);
        pair.PollFor(Soon);
        pair.Client.TryWrite(default, "x"u8, out var afterTheAnswer);
        Assert.Equal((IoError.None, IoError.None, IoError.BrokenPipe), (duringLinger, intoTheVoid, afterTheAnswer));
    }

    [Fact]
    public void A_graceful_close_over_unread_input_loses_no_data_in_flight()
    {
        var pair = new ChannelPair();
        pair.Client.TryWrite(default, "unread"u8, out _);
        pair.PollFor(Soon);

        pair.Server.TryWrite(default, "reply"u8, out _);
        pair.Server.Close(reset: false);
        pair.Client.StartReading();
        pair.PollFor(Soon);

        Assert.Equal("reply", pair.ClientSink.Text);
        Assert.Equal("end", pair.ClientSink.Events[^1]);
    }

    [Fact]
    public void A_stopped_reader_gets_one_to_three_late_reads_where_the_kernel_is_told_so()
    {
        var counts = Enumerable.Range(1, 50).Select(LateReads).ToList();

        Assert.Equal([1, 2, 3], counts.Distinct().Order());

        static int LateReads(int seed)
        {
            var pair = new ChannelPair(SimulationOptions.Faithful with { LateReads = 1 }, seed);
            pair.Client.StartReading();
            pair.Client.StopReading();
            for (var i = 0; i < 5; i++)
            {
                pair.Server.TryWrite(default, "x"u8, out _);
                pair.PollFor(Soon);
            }

            return pair.ClientSink.Text.Length;
        }
    }

    [Fact]
    public void The_end_of_the_stream_may_be_among_the_late_reads()
    {
        var pair = new ChannelPair(SimulationOptions.Faithful with { LateReads = 1 });
        pair.Client.StartReading();
        pair.Client.StopReading();

        pair.Server.ShutdownWrite();
        pair.PollFor(Soon);

        Assert.Contains("end", pair.ClientSink.Events);
    }

    [Fact]
    public void Breaches_of_the_seam_are_thrown_and_remembered()
    {
        var pair = new ChannelPair();
        pair.Client.Close(reset: true);

        Assert.Throws<InvalidOperationException>(() => pair.Client.StartReading());
        Assert.Throws<InvalidOperationException>(() => pair.Server.Attach(pair.ServerSink));
        Assert.Equal(2, pair.Network.Violations.Count);
    }
}
