using Sluice.Loop;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Loop;

public sealed class DeadlinesTests
{
    private static readonly ConnectionLimits AMinuteIdle = ConnectionLimits.None with { Idle = TimeSpan.TicksPerMinute };

    [Fact, Case("SRV-070")]
    public void Many_are_struck_each_in_its_time_and_looked_at_about_once_in_it()
    {
        const int Crowd = 2000;
        using var rig = new LoopRig();
        var random = new Random(1);
        var watched = Enumerable.Range(0, Crowd).Select(_ => new Watched(rig.Loop)).ToList();
        foreach (var one in watched) one.Begin(AMinuteIdle);
        for (var second = 0; second < 600; second++)
        {
            rig.Backend.Time.Now += TimeSpan.FromSeconds(1);
            rig.Pass();
            foreach (var one in watched)
            {
                var idle = rig.Loop.Time - one.LastMoved;
                if (one.Struck is null) Assert.True(idle < TimeSpan.FromSeconds(62), $"idle for {idle} and not struck");
                else Assert.Equal(ConnectionLimit.IdleTimeout, one.Struck);
                if (one.Struck is null && random.Next(second < 300 ? 30 : 90) == 0) one.Move();
            }
        }

        Assert.All(watched.Where(static one => one.Struck is not null), static one => Assert.InRange((one.StruckAt - one.LastMoved).TotalSeconds, 60, 62));
        Assert.Contains(watched, static one => one.Struck is not null);
        Assert.InRange(rig.Loop.Deadlines.Visits, Crowd, 12 * Crowd);
        foreach (var one in watched) one.End();
        Assert.Equal(0, rig.Loop.Deadlines.Count);
    }

    [Fact, Case("SRV-070")]
    public void Places_are_used_again_and_moving_bytes_allocates_nothing()
    {
        using var rig = new LoopRig();
        var watched = Enumerable.Range(0, 1000).Select(_ => new Watched(rig.Loop)).ToList();
        var least = long.MaxValue;
        for (var round = 0; round < 4; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var one in watched) one.Begin(AMinuteIdle);
            foreach (var one in watched) one.Move();
            foreach (var one in watched) one.End();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact, Case("SRV-070")]
    public void Neighbours_share_their_wake_ups()
    {
        using var rig = new LoopRig();
        var watched = Enumerable.Range(0, 1000).Select(_ => new Watched(rig.Loop)).ToList();
        foreach (var one in watched)
        {
            rig.Backend.Time.Now += TimeSpan.FromMilliseconds(1);
            rig.Pass();
            one.Begin(AMinuteIdle);
        }

        var wakes = 0;
        while (watched.Exists(static one => one.Struck is null))
        {
            rig.Backend.Time.Now += rig.Loop.NextTimer!.Value - rig.Loop.Time;
            rig.Pass();
            wakes++;
        }

        Assert.InRange(wakes, 1, 3);
    }

    [Fact, Case("SRV-070")]
    public void An_event_behind_a_wait_is_of_the_time_at_which_the_wait_ended()
    {
        using var rig = new LoopRig();
        var one = new Watched(rig.Loop);
        rig.Queue(() => one.Begin(AMinuteIdle));
        rig.Backend.Script(() =>
        {
            rig.Backend.Time.Now += TimeSpan.FromSeconds(59);
            one.Move();
        });
        rig.Pass();

        rig.Backend.Time.Now += TimeSpan.FromSeconds(59);
        rig.Pass();
        Assert.Null(one.Struck);
        rig.Backend.Time.Now += TimeSpan.FromSeconds(3);
        rig.Pass();
        Assert.Equal(ConnectionLimit.IdleTimeout, one.Struck);
    }

    private sealed class Watched(LoopCore loop) : ILimited
    {
        private int _place;

        public Awaited Awaits => Awaited.Bytes;

        public TimeSpan LastMoved { get; private set; }

        public ConnectionLimit? Struck { get; private set; }

        public TimeSpan StruckAt { get; private set; }

        public void Begin(in ConnectionLimits limits)
        {
            _place = loop.Deadlines.Watch(this, limits);
            loop.Deadlines.Begin(_place);
            LastMoved = loop.Time;
        }

        public void Move()
        {
            loop.Deadlines.NoteRead(_place, 1);
            LastMoved = loop.Time;
        }

        public void OnLimit(ConnectionLimit limit)
        {
            Struck = limit;
            StruckAt = loop.Time;
            End();
        }

        public void End()
        {
            if (_place != 0) loop.Deadlines.Forget(_place);
            _place = 0;
        }
    }
}
