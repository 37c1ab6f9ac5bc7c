using Sluice.Loop;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Loop;

/// <summary>What one pass runs, in which order, and how long it waits.</summary>
public sealed class PassTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_pass_runs_ready_items_then_events_then_timers()
    {
        using var rig = new LoopRig();
        rig.Backend.Script(() => rig.Trace.Add("event"));
        Later(rig, TimeSpan.Zero, "timer");
        rig.Queue(() => rig.Trace.Add("ready"));

        rig.Pass();

        Assert.Equal("ready, event, timer", rig.Take());
    }

    [Fact]
    [Case("LOOP-004")]
    public void What_is_queued_in_a_pass_waits_for_the_next_after_a_poll_without_wait()
    {
        using var rig = new LoopRig();
        rig.Queue(() =>
        {
            rig.Trace.Add("first");
            rig.Queue(() => rig.Trace.Add("second"));
        });

        using var running = rig.Loop.Enter();
        rig.Loop.RunPass(Timeout.InfiniteTimeSpan);
        Assert.Equal("first", rig.Take());
        Assert.Equal([TimeSpan.Zero], rig.Backend.Waits);

        rig.Backend.Script(() => rig.Trace.Add("event"));
        rig.Loop.RunPass(Timeout.InfiniteTimeSpan);
        Assert.Equal("second, event", rig.Take());
    }

    [Fact]
    [Case("LOOP-014")]
    public void A_ready_item_runs_before_a_zero_timer_of_the_same_callback()
    {
        using var rig = new LoopRig();
        void Both()
        {
            Later(rig, TimeSpan.Zero, "timer");
            rig.Queue(() => rig.Trace.Add("ready"));
        }

        rig.Queue(Both);
        rig.Pass(2);
        Assert.Equal("ready, timer", rig.Take());

        rig.Backend.Script(Both);
        rig.Pass(2);
        Assert.Equal("ready, timer", rig.Take());
    }

    [Fact]
    [Case("LOOP-011")]
    public void Timers_of_the_past_run_in_the_next_pass_by_due_time()
    {
        using var rig = new LoopRig();
        Later(rig, -Second, "a");
        Later(rig, -2 * Second, "b");

        rig.Pass();

        Assert.Equal("b, a", rig.Take());
    }

    [Fact]
    public void A_timer_of_the_most_distant_past_does_not_wait()
    {
        using var rig = new LoopRig();
        Later(rig, TimeSpan.MinValue, "at once");

        using var running = rig.Loop.Enter();
        rig.Loop.RunPass(Timeout.InfiniteTimeSpan);

        Assert.Equal("at once", rig.Take());
        Assert.Equal([TimeSpan.Zero], rig.Backend.Waits);
    }

    [Theory]
    [Case("LOOP-015", "BUG-103")]
    [InlineData(30.0, 30.0)]
    [InlineData(86_400.0, 86_400.0)]
    [InlineData(1e9, 86_400.0)]
    public void A_wait_lasts_until_the_first_timer_but_at_most_a_day(double delay, double wait)
    {
        using var rig = new LoopRig();
        Later(rig, TimeSpan.FromSeconds(delay), "timer");

        using var running = rig.Loop.Enter();
        rig.Loop.RunPass(Timeout.InfiniteTimeSpan);

        Assert.Equal([TimeSpan.FromSeconds(wait)], rig.Backend.Waits);
    }

    [Fact]
    [Case("LOOP-015")]
    public void A_timer_at_the_end_of_time_leaves_the_loop_polling()
    {
        using var rig = new LoopRig();
        Later(rig, TimeSpan.MaxValue, "never");
        Later(rig, Timeout.InfiniteTimeSpan, "never");

        using var running = rig.Loop.Enter();
        rig.Loop.RunPass(Timeout.InfiniteTimeSpan);
        rig.Loop.RunPass(Second);

        Assert.Equal([TimeSpan.FromDays(1), Second], rig.Backend.Waits);
        Assert.Equal("", rig.Take());
    }

    [Fact]
    [Case("BUG-103")]
    public void Timers_that_make_timers_do_not_starve_the_kernel()
    {
        using var rig = new LoopRig();
        var runs = 0;
        void Again()
        {
            runs++;
            rig.Loop.AddTimer(new LoopTimer(rig.Loop, rig.Loop.Time, _ => Again(), null));
        }

        Again();
        rig.Pass(10);

        Assert.Equal(11, runs);
        Assert.Equal(10, rig.Backend.Wakeups);
    }

    [Fact]
    [Case("LOOP-031")]
    public void Stop_before_a_run_makes_one_pass_without_wait()
    {
        using var rig = new LoopRig();
        rig.Queue(() => rig.Queue(() => rig.Trace.Add("kept")));
        rig.Loop.Stop();

        using (rig.Loop.Enter()) rig.Loop.RunPasses(null);
        Assert.Equal("", rig.Take());
        Assert.Equal([TimeSpan.Zero], rig.Backend.Waits);

        rig.Pass();
        Assert.Equal("kept", rig.Take());
    }

    [Fact]
    public void Stop_in_a_ready_item_ends_the_pass_without_wait()
    {
        using var rig = new LoopRig();
        rig.Queue(rig.Loop.Stop);
        rig.Queue(() => rig.Trace.Add("same pass"));

        using (rig.Loop.Enter()) rig.Loop.RunPasses(null);

        Assert.Equal("same pass", rig.Take());
        Assert.Equal([TimeSpan.Zero], rig.Backend.Waits);
    }

    [Fact]
    public void A_run_ends_with_the_pass_in_which_its_task_is_done()
    {
        using var rig = new LoopRig();
        var done = new TaskCompletionSource();
        rig.Queue(done.SetResult);
        rig.Queue(() => rig.Trace.Add("same pass"));

        using (rig.Loop.Enter()) rig.Loop.RunPasses(done.Task);

        Assert.Equal("same pass", rig.Take());
        Assert.Equal([TimeSpan.Zero], rig.Backend.Waits);
    }

    [Fact]
    [Case("LOOP-005")]
    public void Posts_of_other_threads_and_turns_of_the_loop_share_one_queue()
    {
        using var rig = new LoopRig();
        rig.Queue(() =>
        {
            Post(rig, "posted");
            rig.Queue(() => rig.Trace.Add("queued"));
            Post(rig, "posted later");
        });

        rig.Pass(2);

        Assert.Equal("posted, queued, posted later", rig.Take());
    }

    [Fact]
    public void Running_twice_or_nesting_loops_is_refused()
    {
        using var rig = new LoopRig();
        using var other = new LoopRig();

        rig.Step(() =>
        {
            Assert.Throws<InvalidOperationException>(() => rig.Loop.Enter().Dispose());
            Assert.Throws<InvalidOperationException>(() => other.Loop.Enter().Dispose());
        });

        other.Pass();
    }

    [Fact]
    public void A_closed_loop_refuses_posts_and_gives_waiting_continuations_to_the_thread_pool()
    {
        using var rig = new LoopRig();
        using var ran = new ManualResetEventSlim();
        rig.Loop.TryPost(_ => ran.Set(), null);

        rig.Loop.Close();
        rig.Loop.Close();

        Assert.True(ran.Wait(TimeSpan.FromSeconds(30)));
        Assert.False(rig.Loop.TryPost(_ => { }, null));
        Assert.True(rig.Backend.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => rig.Loop.Enter().Dispose());
    }

    internal static void Later(LoopRig rig, TimeSpan delay, string line) =>
        rig.Loop.AddTimer(new LoopTimer(rig.Loop, LoopTimes.After(rig.Loop.Time, delay), _ => rig.Trace.Add(line), null));

    private static void Post(LoopRig rig, string line)
    {
        var thread = new Thread(() => Assert.True(rig.Loop.TryPost(_ => rig.Trace.Add(line), null)));
        thread.Start();
        thread.Join();
    }
}
