using Sluice.Loop;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Loop;

public sealed class HandleTests
{
    [Fact]
    [Case("LOOP-002", "LOOP-003")]
    public void A_cancelled_callback_does_not_run_and_the_others_keep_their_order()
    {
        using var rig = new LoopRig();
        var first = Soon(rig, "first");
        var cancelled = Soon(rig, "cancelled");
        var last = Soon(rig, "last");
        cancelled.Cancel();
        cancelled.Cancel();

        rig.Pass();
        first.Cancel();

        Assert.Equal("first, last", rig.Take());
        Assert.Equal((false, true, false), (first.IsCancelled, cancelled.IsCancelled, last.IsCancelled));
    }

    [Fact]
    [Case("LOOP-010")]
    public void A_cancelled_timer_leaves_the_heap_at_once()
    {
        using var rig = new LoopRig();
        var timer = new LoopTimer(rig.Loop, rig.Loop.Time, _ => rig.Trace.Add("timer"), null);
        rig.Loop.AddTimer(timer);

        timer.Cancel();
        rig.Pass();

        Assert.Null(rig.Loop.NextTimer);
        Assert.Equal("", rig.Take());
        Assert.True(timer.IsCancelled);
        Assert.Equal(rig.Loop.Time, timer.When);
    }

    [Fact]
    public void A_timer_can_cancel_another_that_is_due_in_the_same_pass()
    {
        using var rig = new LoopRig();
        LoopTimer? second = null;
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => second!.Cancel(), null));
        second = new LoopTimer(rig.Loop, rig.Loop.Time, _ => rig.Trace.Add("second"), null);
        rig.Loop.AddTimer(second);

        rig.Pass();

        Assert.Equal("", rig.Take());
    }

    [Fact]
    [Case("LOOP-023")]
    public void A_callback_that_throws_is_reported_with_its_handle_and_the_pass_goes_on()
    {
        using var rig = new LoopRig();
        var failure = new FormatException();
        var handle = new CallbackHandle(rig.Loop, _ => throw failure, null);
        rig.Loop.Enqueue(handle, 0);
        Soon(rig, "next");

        rig.Pass();

        var report = Assert.Single(rig.Reports);
        Assert.Equal("Exception in callback", report.Message);
        Assert.Same(failure, report.Exception);
        Assert.Same(handle, report.Handle);
        Assert.Null(report.SourceTraceback);
        Assert.Equal("next", rig.Take());
    }

    [Fact]
    [Case("LOOP-027")]
    public void A_handler_that_throws_is_reported_to_the_log()
    {
        using var rig = new LoopRig();
        rig.Loop.Errors.Handler = _ => throw new InvalidOperationException("handler");
        rig.Loop.Enqueue(new CallbackHandle(rig.Loop, _ => throw new FormatException(), null), 0);

        rig.Pass();

        var entry = Assert.Single(rig.Log.Entries);
        Assert.StartsWith("Error: Unhandled error in exception handler; exception: InvalidOperationException: handler", entry, StringComparison.Ordinal);
        Assert.Contains("context: (Exception in callback; exception: FormatException", entry, StringComparison.Ordinal);
    }

    [Fact]
    [Case("LOOP-044")]
    public void A_slow_callback_is_remarked_in_debug_mode()
    {
        using var rig = new LoopRig(new EventLoopOptions { Debug = true });
        rig.Loop.Enqueue(new CallbackHandle(rig.Loop, _ => rig.Backend.Time.Now += TimeSpan.FromMilliseconds(99), null), 0);
        rig.Pass();
        Assert.Empty(rig.Log.Entries);

        rig.Loop.Enqueue(new CallbackHandle(rig.Loop, _ => rig.Backend.Time.Now += TimeSpan.FromMilliseconds(100), null), 0);
        rig.Pass();

        Assert.Contains("took 0.100 s", Assert.Single(rig.Log.Entries), StringComparison.Ordinal);
    }

    private static CallbackHandle Soon(LoopRig rig, string line)
    {
        var handle = new CallbackHandle(rig.Loop, _ => rig.Trace.Add(line), null);
        rig.Loop.Enqueue(handle, 0);
        return handle;
    }
}
