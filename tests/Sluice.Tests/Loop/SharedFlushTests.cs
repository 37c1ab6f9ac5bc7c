using Sluice.Tests.Doubles;
using Sluice.Transports;

namespace Sluice.Tests.Loop;

/// <summary>What the ready items of one pass write: it leaves together, behind the last of them.</summary>
public sealed class SharedFlushTests
{
    [Fact]
    [Case("FLOW-020")]
    public void Fifty_items_that_each_write_a_line_make_one_system_call()
    {
        using var rig = StreamRig.Started();
        for (var i = 0; i < 50; i++) rig.Queue(() => rig.Transport.Write("PING\r\n"u8));

        rig.Pass();

        Assert.Equal("TryWrite(300)", rig.Take());
        Assert.Equal(string.Concat(Enumerable.Repeat("PING\r\n", 50)), rig.Channel.Sent);
        Assert.Equal(0, rig.Transport.WriteBufferSize);
    }

    [Fact]
    [Case("FLOW-020")]
    public async Task Fifty_methods_that_a_read_resumes_make_one_system_call()
    {
        using var rig = StreamRig.Started();
        var replies = new Queue<TaskCompletionSource>();
        rig.Callbacks.On("DataReceived", _ =>
        {
            while (replies.TryDequeue(out var reply)) reply.SetResult();
        });
        var methods = new List<Task>();
        rig.Step(() =>
        {
            for (var i = 0; i < 50; i++) methods.Add(AskTwiceAsync());
        });
        Assert.Equal("TryWrite(50)", rig.Take());

        rig.Receive("fifty replies");
        rig.Pass();

        Assert.Equal("DataReceived(fifty replies), TryWrite(50)", rig.Take());
        await Task.WhenAll(methods);

        async Task AskTwiceAsync()
        {
            rig.Transport.Write("1"u8);
            var reply = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            replies.Enqueue(reply);
            await reply.Task;
            rig.Transport.Write("2"u8);
        }
    }

    [Fact]
    [Case("FLOW-020")]
    public void An_event_has_a_flush_of_its_own()
    {
        using var rig = StreamRig.Started();
        rig.Callbacks.On("DataReceived", _ => rig.Transport.Write("answer"u8));
        rig.Channel.Receive("1");
        rig.Channel.Receive("2");

        rig.Pass();

        Assert.Equal("DataReceived(1), TryWrite(6), DataReceived(2), TryWrite(6)", rig.Take());
    }

    [Fact]
    [Case("FLOW-020", "FLOW-005")]
    public void Items_that_write_much_go_to_the_kernel_before_the_pass_is_over()
    {
        using var rig = StreamRig.Started();
        rig.Callbacks.On("PauseWriting", _ => rig.Trace.Add($"at {rig.Transport.WriteBufferSize}"));
        for (var i = 0; i < 40; i++)
        {
            rig.Queue(() =>
            {
                rig.Transport.Write(new byte[4_000]);
                Assert.InRange(rig.Transport.WriteBufferSize, 0, rig.Transport.WriteBufferLimits.High);
            });
        }

        rig.Pass();

        Assert.Equal("TryWrite(68000), TryWrite(68000), TryWrite(24000)", rig.Take());
        Assert.Equal(160_000, rig.Channel.Sent.Length);
    }

    [Fact]
    [Case("FLOW-020", "FLOW-005")]
    public void A_full_kernel_pauses_the_item_whose_write_has_lifted_the_buffer_above_high()
    {
        using var rig = StreamRig.Started();
        rig.Step(() => rig.Transport.SetWriteBufferLimits(high: 10));
        rig.Channel.Accept(0);
        for (var i = 1; i <= 4; i++)
        {
            var item = i;
            rig.Queue(() =>
            {
                rig.Transport.Write("12345"u8);
                rig.Trace.Add($"item {item}");
            });
        }

        rig.Pass();

        Assert.Equal("item 1, item 2, TryWrite(15), StartWrite(15), PauseWriting, item 3, item 4", rig.Take());
    }

    [Theory]
    [InlineData("Close")]
    [InlineData("WriteEof")]
    [InlineData("SetProtocol")]
    [Case("FLOW-020")]
    public void A_flush_point_takes_what_earlier_items_wrote_and_leaves_nothing_for_the_end(string point)
    {
        using var rig = StreamRig.Started();
        rig.Queue(() => rig.Transport.Write("before"u8));
        rig.Queue(() =>
        {
            if (point == "Close") rig.Transport.Close();
            else if (point == "WriteEof") rig.Transport.WriteEof();
            else rig.Transport.SetProtocol(StreamRig.NewProtocol(new Callbacks([]), StreamRig.Plain));
            Assert.Equal("before", rig.Channel.Sent);
        });
        rig.Queue(() => rig.Trace.Add("next item"));

        rig.Pass();

        Assert.Single(rig.Trace, static line => line.StartsWith("TryWrite", StringComparison.Ordinal));
        Assert.True(rig.Trace.IndexOf("TryWrite(6)") < rig.Trace.IndexOf("next item"));
    }

    [Fact]
    [Case("FLOW-021")]
    public void A_callback_of_a_protocol_that_throws_has_the_writes_of_others_flushed_before_the_handler_is_told()
    {
        using var rig = StreamRig.Started();
        var other = new ScriptedChannel(rig.Backend, rig.Trace);
        var toOther = NewTransport(rig, other);
        rig.Pass(2);
        rig.Take();
        rig.Loop.Errors.Handler = _ => rig.Trace.Add($"handler, {other.Sent} has left");
        rig.Callbacks.On("DataReceived", _ =>
        {
            toOther.Write("passed on"u8);
            throw new InvalidOperationException("of the protocol");
        });

        rig.Receive("x");

        Assert.Contains("handler, passed on has left", rig.Trace);
    }

    [Fact]
    [Case("FLOW-021")]
    public void A_throwing_PauseWriting_inside_a_write_does_not_take_back_memory_that_another_transport_has_lent()
    {
        using var rig = StreamRig.Started();
        var other = new ScriptedChannel(rig.Backend, []);
        var toOther = NewTransport(rig, other);
        rig.Pass(2);
        rig.Callbacks.On("PauseWriting", _ => throw new InvalidOperationException("of the protocol"));
        rig.Step(() =>
        {
            var lent = toOther.GetSpan(5);
            rig.Channel.Accept(0);
            rig.Transport.SetWriteBufferLimits(high: 0);
            rig.Transport.Write("stuck"u8);
            "alive"u8.CopyTo(lent);
            toOther.Advance(5);
        });

        Assert.Equal("alive", other.Sent);
        Assert.Equal("protocol.PauseWriting() failed", Assert.Single(rig.Reports).Message);
    }

    [Fact]
    [Case("FLOW-020")]
    public void Memory_is_lent_until_the_items_of_the_pass_have_run_and_no_longer()
    {
        using var rig = StreamRig.Started();
        rig.Queue(() => "kept"u8.CopyTo(rig.Transport.GetSpan(4)));
        rig.Queue(() => rig.Transport.Advance(4));
        rig.Queue(() => rig.Transport.GetSpan(4));
        rig.Pass();
        Assert.Equal("TryWrite(4)", rig.Take());

        rig.Step(() => Assert.Throws<InvalidOperationException>(() => rig.Transport.Advance(4)));
        Assert.Equal("kept", rig.Channel.Sent);
    }

    private static SocketTransport NewTransport(StreamRig rig, ScriptedChannel channel) =>
        new(rig.Loop, channel, new TracedProtocol(new Callbacks([])), new(rig.Connections, ConnectionOptions.Default, null, null));
}
