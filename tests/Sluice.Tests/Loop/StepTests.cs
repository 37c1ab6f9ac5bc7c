using Sluice.Loop;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Loop;

/// <summary>What the end of a step does: it empties the flush list and leaves the context of the callback.</summary>
public sealed class StepTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Fact]
    [Case("FLOW-020")]
    public void The_ready_items_of_a_pass_share_a_flush_before_the_poll_and_so_do_its_timers()
    {
        using var rig = new LoopRig();
        rig.Queue(() => Flush(rig, "flush 1"));
        rig.Queue(() => rig.Trace.Add("item 2"));
        rig.Loop.TryPost(_ => Flush(rig, "flush 3"), null);
        rig.Backend.Script(() => rig.Trace.Add("event"));
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => Flush(rig, "flush 4"), null));
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => rig.Trace.Add("timer 5"), null));

        rig.Pass();

        Assert.Equal("item 2, flush 1, flush 3, event, timer 5, flush 4", rig.Take());
    }

    [Fact]
    [Case("FLOW-020")]
    public void What_a_flush_makes_ready_is_run_without_a_wait_and_before_younger_timers()
    {
        using var rig = new LoopRig();
        rig.Queue(() => rig.Loop.FlushAtEndOfStep(new TracedFlush(() =>
        {
            rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => rig.Trace.Add("timer"), null));
            rig.Queue(() => rig.Trace.Add("made ready"));
        })));

        using var running = rig.Loop.Enter();
        rig.Loop.RunPass(Timeout.InfiniteTimeSpan);
        Assert.Equal("", rig.Take());
        Assert.Equal([TimeSpan.Zero], rig.Backend.Waits);
        rig.Loop.RunPass(Timeout.InfiniteTimeSpan);

        Assert.Equal("made ready, timer", rig.Take());
    }

    [Fact]
    [Case("FLOW-021")]
    public void A_callback_that_throws_has_what_the_step_wrote_flushed_before_the_handler_is_told()
    {
        using var rig = new LoopRig();
        rig.Loop.Errors.Handler = report => rig.Trace.Add(report.Exception!.Message);
        rig.Queue(() => Flush(rig, "flush 1"));
        rig.Loop.Enqueue(new CallbackHandle(rig.Loop, _ => throw new InvalidOperationException("handle"), null), 0);
        rig.Queue(() => Flush(rig, "flush 2"));
        rig.Loop.TryPost(_ => throw new InvalidOperationException("post"), null);
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => Flush(rig, "flush 3"), null));
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => throw new InvalidOperationException("timer"), null));

        rig.Pass();

        Assert.Equal("flush 1, handle, flush 2, post, flush 3, timer", rig.Take());
    }

    [Fact]
    [Case("FLOW-020")]
    public void A_stop_in_the_midst_of_a_pass_leaves_nothing_unflushed()
    {
        using var rig = new LoopRig();
        rig.Queue(() =>
        {
            Flush(rig, "flush 1");
            rig.Loop.Stop();
        });
        rig.Queue(() => Flush(rig, "flush 2"));

        using (rig.Loop.Enter()) rig.Loop.RunPasses(null);

        Assert.Equal("flush 1, flush 2", rig.Take());
    }

    [Fact]
    [Case("FLOW-011")]
    public void A_flush_may_put_others_and_itself_on_the_list_again()
    {
        using var rig = new LoopRig();
        TracedFlush? again = null;
        again = new TracedFlush(() =>
        {
            rig.Trace.Add("A");
            Flush(rig, "C");
            if (rig.Trace.Count < 4) rig.Loop.FlushAtEndOfStep(again!);
        });

        rig.Queue(() =>
        {
            rig.Loop.FlushAtEndOfStep(again);
            Flush(rig, "B");
        });
        rig.Pass();

        Assert.Equal("A, B, C, A, C", rig.Take());
    }

    [Fact]
    [Case("FLOW-011")]
    public void A_ResumeWriting_that_writes_elsewhere_is_flushed_in_the_same_step()
    {
        using var rig = StreamRig.Started();
        var channel = new ScriptedChannel(rig.Backend, rig.Trace);
        var other = new Sluice.Transports.SocketTransport(
            rig.Loop, channel, new TracedProtocol(new Callbacks([])), new(rig.Connections, ConnectionOptions.Default, null, null));
        rig.Pass(2);
        rig.Transport.SetWriteBufferLimits(high: 0);
        rig.Clog(3);
        rig.Callbacks.On("ResumeWriting", _ => other.Write("elsewhere"u8));

        rig.CompleteWrite();

        Assert.Equal("ResumeWriting, TryWrite(9)", rig.Take());
        Assert.Equal("elsewhere", channel.Sent);
    }

    [Fact]
    [Case("CTX-005")]
    public void Callbacks_run_in_the_context_of_the_call_that_made_them_and_leave_no_trace_of_it()
    {
        using var rig = new LoopRig();
        Ambient.Value = "caller";
        rig.Loop.Enqueue(new CallbackHandle(rig.Loop, _ => rig.Trace.Add($"soon {Ambient.Value}"), null), 0);
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => rig.Trace.Add($"timer {Ambient.Value}"), null));
        Ambient.Value = "changed";
        rig.Loop.TryPost(_ =>
        {
            rig.Trace.Add($"post {Ambient.Value ?? "none"}");
            Ambient.Value = "leak";
        }, null);
        rig.Loop.TryPost(_ => rig.Trace.Add($"post {Ambient.Value ?? "none"}"), null);

        rig.Pass();

        Assert.Equal("soon caller, post none, post none, timer caller", rig.Take());
        Assert.Equal("changed", Ambient.Value);
    }

    [Fact]
    [Case("CTX-001", "CTX-003")]
    public void A_transport_s_callbacks_run_in_the_context_of_its_creation_whoever_calls()
    {
        using var rig = new LoopRig();
        var callbacks = new Callbacks([]);
        var channel = new ScriptedChannel(rig.Backend, []);
        Ambient.Value = "creator";
        var transport = new Sluice.Transports.SocketTransport(
            rig.Loop, channel, new TracedProtocol(callbacks),
            new(new Sluice.Transports.ConnectionSet(), ConnectionOptions.Default, CallbackContext.Capture(), null));
        Ambient.Value = null;
        foreach (var name in (string[])["ConnectionMade", "DataReceived", "EofReceived", "PauseWriting", "ResumeWriting", "ConnectionLost"])
        {
            callbacks.On(name, _ => rig.Trace.Add($"{name} {Ambient.Value}"));
        }

        rig.Pass(2);
        transport.SetWriteBufferLimits(high: 0);
        channel.Receive("x");
        channel.Accept(0);
        rig.Step(() =>
        {
            Ambient.Value = "writer";
            transport.Write("y"u8);
            Assert.Equal("writer", Ambient.Value);
        });
        channel.CompleteWrite();
        channel.ReceiveEnd();
        rig.Pass(3);

        string[] expected = ["ConnectionMade", "PauseWriting", "DataReceived", "ResumeWriting", "EofReceived", "ConnectionLost"];
        Assert.Equal(expected.Select(name => $"{name} creator"), rig.Trace);
    }

    [Fact]
    public void The_loop_is_current_only_while_it_runs()
    {
        using var rig = new LoopRig();
        var outer = SynchronizationContext.Current;

        rig.Step(() =>
        {
            Assert.Same(rig.Loop, LoopCore.Current);
            Assert.Same(rig.Loop.SynchronizationContext, SynchronizationContext.Current);
        });

        Assert.Null(LoopCore.Current);
        Assert.Same(outer, SynchronizationContext.Current);
    }

    private static void Flush(LoopRig rig, string line) => rig.Loop.FlushAtEndOfStep(new TracedFlush(() => rig.Trace.Add(line)));

    private sealed class TracedFlush(Action flush) : IStepFlush
    {
        public IStepFlush? NextToFlush { get; set; }

        public void FlushStep() => flush();
    }
}
