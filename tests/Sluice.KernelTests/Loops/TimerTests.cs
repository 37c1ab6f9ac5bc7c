using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>CallLater and CallAt: when timers run, in which order, and what they cost.</summary>
public sealed class TimerTests
{
    [Theory, EveryKernel, Case("LOOP-009")]
    public void A_timer_runs_once_and_never_before_its_delay_has_passed(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var ran = new List<TimeSpan>();
        var start = loop.Time;
        loop.CallLater(TimeSpan.FromMilliseconds(20), () => ran.Add(loop.Time - start));
        await Task.Delay(TimeSpan.FromMilliseconds(40), loop.TimeProvider);

        Assert.True(Assert.Single(ran) >= TimeSpan.FromMilliseconds(20));
    });

    [Theory, EveryKernel, Case("LOOP-010")]
    public void A_timer_says_when_it_is_due_also_after_it_ran(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var delay = TimeSpan.FromMilliseconds(1);
        var before = loop.Time;
        var done = loop.CreateFuture();
        var later = loop.CallLater(delay, static () => { });
        var after = loop.Time;
        var at = loop.CallAt(after + delay, done.SetResult);
        var cancelled = loop.CallAt(after, () => Assert.Fail("a cancelled timer ran"));
        cancelled.Cancel();

        await done.Task;
        Assert.InRange(later.When, before + delay, after + delay);
        Assert.Equal(after + delay, at.When);
        Assert.True(loop.Time >= at.When);
        Assert.False(at.IsCancelled);
        Assert.True(cancelled.IsCancelled);
    });

    [Theory, EveryKernel, Case("LOOP-011")]
    public void Negative_delays_run_in_the_next_pass_the_longest_due_first(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var order = new List<char>();
        var passes = loop.Core.Passes;
        var done = loop.CreateFuture();
        loop.CallSoon(() =>
        {
            loop.CallLater(TimeSpan.FromSeconds(-1), () =>
            {
                order.Add('a');
                passes = loop.Core.Passes - passes;
                done.SetResult();
            });
            loop.CallLater(TimeSpan.FromSeconds(-2), () => order.Add('b'));
        });

        await done.Task;
        Assert.Equal(['b', 'a'], order);
        Assert.InRange(passes, 1, 2);
    });

    [Theory, EveryKernel, Case("LOOP-013")]
    public void Timers_that_are_due_at_the_same_time_run_in_the_order_of_the_calls(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var order = new List<int>();
        var when = loop.Time + TimeSpan.FromMilliseconds(1);
        for (var i = 0; i < 100; i++)
        {
            var number = i;
            loop.CallAt(when, () => order.Add(number));
        }

        await Task.Delay(TimeSpan.FromMilliseconds(3), loop.TimeProvider);
        Assert.Equal(Enumerable.Range(0, 100), order);
    });

    [Theory, EveryKernel, Case("LOOP-014")]
    public void A_callback_comes_before_a_timer_without_delay_of_the_same_moment(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var order = new List<string>();
        loop.CallSoon(() =>
        {
            loop.CallLater(TimeSpan.Zero, () => order.Add("later"));
            loop.CallSoon(() => order.Add("soon"));
        });

        while (order.Count < 2) await Task.Yield();
        Assert.Equal(["soon", "later"], order);
    });

    [Theory, EveryKernel, Case("LOOP-015", "BUG-103")]
    public void Delays_of_any_length_are_taken_and_the_loop_goes_on(LoopKernel kernel) => kernel.Run(async loop =>
    {
        loop.CallLater(TimeSpan.MaxValue, static () => Assert.Fail("came due"));
        loop.CallLater(Timeout.InfiniteTimeSpan, static () => Assert.Fail("came due"));
        loop.CallLater(TimeSpan.FromDays(1000), static () => Assert.Fail("came due"));
        loop.CallAt(TimeSpan.MaxValue, static () => Assert.Fail("came due"));

        await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
    });

    [Theory, EveryKernel, Case("LOOP-015")]
    public void The_earliest_times_are_due_at_once(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var start = loop.Time;
        var (byDelay, byTime) = (loop.CreateFuture(), loop.CreateFuture());
        loop.CallLater(TimeSpan.MinValue, byDelay.SetResult);
        loop.CallAt(TimeSpan.MinValue, byTime.SetResult);

        await byDelay.Task;
        await byTime.Task;
        Assert.True(loop.Time - start < TimeSpan.FromHours(1));
    });

    [Theory, EveryKernel, Case("LOOP-017")]
    public void Cancelled_timers_do_not_pile_up(LoopKernel kernel) => kernel.Run(loop =>
    {
        var timers = new List<TimerHandle>();
        for (var i = 0; i < 100_000; i++) timers.Add(loop.CallLater(TimeSpan.FromHours(1 + i % 7), static () => { }));
        foreach (var timer in timers) timer.Cancel();

        Assert.Null(loop.Core.NextTimer);
        return Task.CompletedTask;
    });

    [Theory, EveryKernel, Case("LOOP-019")]
    public void Time_is_read_anew_within_a_callback_and_never_goes_back(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var start = loop.Time;
        kernel.PassTime(loop, TimeSpan.FromMilliseconds(5));
        var later = loop.Time;
        Assert.True(later - start >= TimeSpan.FromMilliseconds(5));

        await Task.Yield();
        Assert.True(loop.Time >= later);
    });

    [Theory, EveryKernel, Case("LOOP-020")]
    public void Short_delays_cost_few_passes(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var passes = loop.Core.Passes;
        foreach (var delay in new[] { 10, 1, 0.1, 0.01, 0.0001 }) await Delay(loop, TimeSpan.FromMilliseconds(delay));

        Assert.InRange(loop.Core.Passes - passes, 5, 20);
    });

    [Theory, EveryKernel, Case("BUG-103")]
    public void Timers_without_delay_do_not_starve_connections(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var stopped = false;
        void Again()
        {
            if (!stopped) loop.CallLater(TimeSpan.Zero, Again);
        }

        Again();
        var client = new Testing.RecordingProtocol();
        var (transport, _) = await kernel.ConnectAsync(loop, client, Testing.RecordingProtocol.Echo());
        transport.Write("through"u8);
        await client.WaitForBytesAsync(7);
        stopped = true;
    });

    [Theory, EveryKernel, Case("BUG-103")]
    public void Callbacks_that_queue_each_other_do_not_starve_timers_and_connections(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var stopped = false;
        void Again()
        {
            if (!stopped) loop.CallSoon(Again);
        }

        Again();
        var timer = Delay(loop, TimeSpan.Zero);
        var client = new Testing.RecordingProtocol();
        var (transport, _) = await kernel.ConnectAsync(loop, client, Testing.RecordingProtocol.Echo());
        transport.Write("through"u8);
        await client.WaitForBytesAsync(7);
        await timer;
        stopped = true;
    });

    private static Task Delay(EventLoop loop, TimeSpan delay)
    {
        var done = loop.CreateFuture();
        loop.CallLater(delay, done.SetResult);
        return done.Task;
    }
}
