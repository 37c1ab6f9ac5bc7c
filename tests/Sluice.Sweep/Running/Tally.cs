using Sluice.Sweep.Streams;

namespace Sluice.Sweep.Running;

/// <summary>How often each thing happened in many worlds: a feature that never occurs is one that nobody judges. Owned by a run; one per worker.</summary>
internal sealed class Tally
{
    private readonly long[] _counts = new long[(int)Happening.Broken + 1];
    private readonly long[] _losses = new long[End.LossKinds.Count];

    public void Add(World world)
    {
        var counts = world.Trace.Tally;
        for (var i = 0; i < counts.Length; i++) _counts[i] += counts[i];
        foreach (var end in world.Ends)
        {
            if (end.IsLost) _losses[end.LossKind]++;
        }
    }

    public void Add(Tally other)
    {
        for (var i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
        for (var i = 0; i < _losses.Length; i++) _losses[i] += other._losses[i];
    }

    public override string ToString()
    {
        var counts = _counts.Select((count, i) => $"{(Happening)i} {count}");
        var losses = _losses.Select((count, i) => $"lost {End.LossKinds[i]} {count}");
        return string.Join(", ", counts.Concat(losses));
    }
}
