using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>The loop's TimeProvider: its clock, its timers, and Task.Delay on top of them.</summary>
public sealed class TimeProviderTests
{
    [Theory, EveryKernel]
    public void Task_Delay_takes_loop_time_and_resumes_on_the_loop(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var start = loop.Time;
        await Task.Delay(TimeSpan.FromMilliseconds(20), loop.TimeProvider);

        Assert.Same(loop, EventLoop.Current);
        Assert.True(loop.Time - start >= TimeSpan.FromMilliseconds(20));
    });

    [Theory, EveryKernel]
    public void Its_clocks_advance_with_the_loop(LoopKernel kernel) => kernel.Run(loop =>
    {
        var (date, stamp) = (loop.TimeProvider.GetUtcNow(), loop.TimeProvider.GetTimestamp());
        kernel.PassTime(loop, TimeSpan.FromMilliseconds(5));

        Assert.True(loop.TimeProvider.GetElapsedTime(stamp) >= TimeSpan.FromMilliseconds(5));
        Assert.True(loop.TimeProvider.GetUtcNow() > date);
        return Task.CompletedTask;
    });

    [Theory, EveryKernel]
    public void A_periodic_timer_ticks_on_the_loop_until_it_is_disposed_of(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var ticks = 0;
        var third = loop.CreateFuture();
        ITimer? timer = null;
        timer = loop.TimeProvider.CreateTimer(
            _ =>
            {
                Assert.Same(loop, EventLoop.Current);
                if (++ticks < 3) return;
                timer!.Dispose();
                third.SetResult();
            },
            null,
            TimeSpan.FromMilliseconds(1),
            TimeSpan.FromMilliseconds(2));

        await third.Task;
        await Task.Delay(TimeSpan.FromMilliseconds(10), loop.TimeProvider);
        Assert.Equal(3, ticks);
        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
    });

    [Theory, EveryKernel]
    public void A_timer_that_another_thread_puts_off_does_not_tick_by_its_old_schedule(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var ticks = 0;
        using var timer = loop.TimeProvider.CreateTimer(_ => ticks++, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        Threads.RunElsewhere(() => timer.Change(TimeSpan.FromMilliseconds(20), Timeout.InfiniteTimeSpan));

        await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
        Assert.Equal(0, ticks);
        await Task.Delay(TimeSpan.FromMilliseconds(30), loop.TimeProvider);
        Assert.Equal(1, ticks);
    });

    [Theory, EveryKernel]
    public void A_timer_can_be_made_and_disposed_of_on_another_thread(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var (wanted, unwanted) = (0, 0);
        Threads.RunElsewhere(() =>
        {
            loop.TimeProvider.CreateTimer(_ => wanted++, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            loop.TimeProvider.CreateTimer(_ => unwanted++, null, TimeSpan.Zero, Timeout.InfiniteTimeSpan).Dispose();
        });

        await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
        Assert.Equal((1, 0), (wanted, unwanted));
    });

    [Theory, EveryKernel]
    public void A_cancellation_can_be_timed_by_the_loop(LoopKernel kernel) => kernel.Run(async loop =>
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(1), loop.TimeProvider);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, source.Token));
        Assert.Same(loop, EventLoop.Current);
    });

    [Theory, EveryKernel, Case("LOOP-025")]
    public void What_a_timer_throws_goes_to_the_exception_handler_and_the_timer_goes_on(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var reports = new List<Exception?>();
        loop.ExceptionHandler = (_, context) => reports.Add(context.Exception);
        var mistake = new InvalidOperationException("mistake");
        using var timer = loop.TimeProvider.CreateTimer(_ => throw mistake, null, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));

        while (reports.Count < 2) await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
        Assert.Same(mistake, reports[0]);
    });
}
