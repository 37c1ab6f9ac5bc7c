using Sluice.Loop;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Loop;

public sealed class LoopTimeProviderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Its_clock_is_the_loop_s()
    {
        using var rig = new LoopRig();
        var provider = new LoopTimeProvider(rig.Loop);
        var started = provider.GetTimestamp();

        rig.Backend.Time.Now += Second;

        Assert.Equal(Second, provider.GetElapsedTime(started));
        Assert.Equal(rig.Backend.Time.UtcNow, provider.GetUtcNow());
    }

    [Fact]
    public void A_timer_fires_when_due_and_again_after_each_period()
    {
        using var rig = new LoopRig();
        using var timer = new LoopTimeProvider(rig.Loop).CreateTimer(_ => rig.Trace.Add($"{rig.Loop.Time.TotalSeconds}"), null, Second, 2 * Second);

        Wait(rig, 5);

        Assert.Equal("101, 103, 105", rig.Take());
    }

    [Fact]
    public void A_disposed_timer_is_silent_and_cannot_be_changed()
    {
        using var rig = new LoopRig();
        var timer = new LoopTimeProvider(rig.Loop).CreateTimer(_ => rig.Trace.Add("fired"), null, Second, Second);
        timer.Dispose();
        timer.Dispose();

        Wait(rig, 3);

        Assert.False(timer.Change(TimeSpan.Zero, Second));
        Assert.Equal("", rig.Take());
    }

    [Fact]
    public void A_timer_that_another_thread_puts_off_as_it_falls_due_fires_at_its_new_time()
    {
        using var rig = new LoopRig();
        using var timer = new LoopTimeProvider(rig.Loop).CreateTimer(_ => rig.Trace.Add($"{rig.Loop.Time.TotalSeconds}"), null, Second, Timeout.InfiniteTimeSpan);
        rig.Pass();
        rig.Backend.Time.Now += Second;
        rig.Backend.ScriptSilence(() =>
        {
            var thread = new Thread(() => timer.Change(10 * Second, Timeout.InfiniteTimeSpan));
            thread.Start();
            thread.Join();
        });

        Wait(rig, 15);

        Assert.Equal("111", rig.Take());
    }

    [Fact]
    public void A_timer_that_throws_is_reported_and_keeps_its_period()
    {
        using var rig = new LoopRig();
        using var timer = new LoopTimeProvider(rig.Loop).CreateTimer(_ => throw new FormatException(), null, Second, Second);

        Wait(rig, 3);

        Assert.Equal(3, rig.Reports.Count);
    }

    private static void Wait(LoopRig rig, int seconds)
    {
        rig.Pass();
        for (var i = 0; i < seconds; i++)
        {
            rig.Backend.Time.Now += Second;
            rig.Pass();
        }
    }
}
