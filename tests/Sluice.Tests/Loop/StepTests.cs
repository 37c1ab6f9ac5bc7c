using Sluice.Loop;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Loop;

/// <summary>What the end of a step does: it empties the flush list and leaves the context of the callback.</summary>
public sealed class StepTests
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Fact]
    public void Each_step_flushes_before_the_next_begins()
    {
        using var rig = new LoopRig();
        rig.Queue(() => Flush(rig, "flush 1"));
        rig.Queue(() => rig.Trace.Add("step 2"));
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => Flush(rig, "flush 3"), null));
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => rig.Trace.Add("timer 4"), null));

        rig.Pass();

        Assert.Equal("flush 1, step 2, flush 3, timer 4", rig.Take());
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
