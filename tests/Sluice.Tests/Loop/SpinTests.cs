using Sluice.Tests.Doubles;

namespace Sluice.Tests.Loop;

/// <summary>Looking without waiting for a while, before a wait that may sleep.</summary>
public sealed class SpinTests
{
    private static readonly TimeSpan Spin = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void An_event_during_the_spin_ends_it_without_a_wait()
    {
        using var rig = Spinning();
        rig.Backend.Polled = () =>
        {
            if (rig.Backend.Wakeups == 3) rig.Backend.Script(() => rig.Trace.Add("event"));
        };

        RunPass(rig, Timeout.InfiniteTimeSpan);

        Assert.Equal([TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero], rig.Backend.Waits);
    }

    [Fact]
    public void After_the_spin_it_waits_for_the_rest()
    {
        using var rig = Spinning();

        RunPass(rig, TimeSpan.FromMilliseconds(20));

        Assert.Equal(6, rig.Backend.Waits.Count);
        Assert.All(rig.Backend.Waits.Take(5), wait => Assert.Equal(TimeSpan.Zero, wait));
        Assert.Equal(TimeSpan.FromMilliseconds(15), rig.Backend.Waits[^1]);
    }

    [Theory]
    [InlineData(6, 7)]
    [InlineData(6, 6)]
    [InlineData(6, 9)]
    [InlineData(3, 1)]
    public void A_wait_that_the_spin_has_used_up_is_none(int wait, int costOfPoll)
    {
        using var rig = Spinning();
        rig.Backend.CostOfPoll = costOfPoll * Millisecond;

        RunPass(rig, wait * Millisecond);

        Assert.Equal(TimeSpan.Zero, rig.Backend.Waits[^1]);
    }

    [Fact]
    public void A_wake_up_during_the_spin_is_not_slept_through()
    {
        using var rig = Spinning();
        var done = new TaskCompletionSource();
        rig.Backend.Polled = () =>
        {
            if (rig.Backend.Wakeups == 2) done.SetResult();
        };

        using (rig.Loop.Enter()) rig.Loop.RunPasses(done.Task);

        Assert.All(rig.Backend.Waits, wait => Assert.Equal(TimeSpan.Zero, wait));
    }

    [Fact]
    public void Without_waiting_there_is_no_spin()
    {
        using var rig = Spinning();

        RunPass(rig, TimeSpan.Zero);

        Assert.Single(rig.Backend.Waits);
    }

    private static LoopRig Spinning()
    {
        var rig = new LoopRig(new EventLoopOptions { SpinBeforeBlocking = Spin });
        rig.Backend.CostOfPoll = Millisecond;
        return rig;
    }

    private static void RunPass(LoopRig rig, TimeSpan longestWait)
    {
        using var running = rig.Loop.Enter();
        rig.Loop.RunPass(longestWait);
    }
}
