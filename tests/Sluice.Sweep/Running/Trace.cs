
namespace Sluice.Sweep.Running;

/// <summary>What a world did, in order: the last entries, or all where they are asked for, and a hash over every one. Owned by its world.</summary>
/// <param name="keepsAll">Keeps all entries, for a replay.</param>
internal sealed class Trace(bool keepsAll)
{
    private const int KeptEntries = 128;

    private readonly List<Entry> _all = [];
    private readonly Entry[] _last = new Entry[keepsAll ? 0 : KeptEntries];
    private readonly long[] _tally = new long[(int)Happening.Broken + 1];
    private long _count;

    public ulong Hash { get; private set; } = Mix(0, 0);

    /// <summary>How often each thing happened.</summary>
    public ReadOnlySpan<long> Tally => _tally;

    public void Add(long ticks, int end, Happening what, long value)
    {
        var entry = new Entry(ticks, end, what, value);
        Hash = Mix(Hash, Fold(entry));
        _tally[(int)what]++;
        if (keepsAll) _all.Add(entry);
        else _last[_count++ % KeptEntries] = entry;
    }

    public static ulong Mix(ulong hash, ulong value)
    {
        hash = (hash ^ value) * 0x9E3779B97F4A7C15;
        return hash ^ (hash >> 29);
    }

    /// <summary>An entry in one number.</summary>
    public static ulong Fold(in Entry entry) =>
        ((ulong)entry.Ticks << 24) ^ ((ulong)entry.What << 56) ^ ((ulong)(uint)entry.End << 44) ^ (ulong)entry.Value;

    public override string ToString()
    {
        var entries = keepsAll ? _all : Enumerable.Range(0, (int)Math.Min(_count, KeptEntries))
            .Select(i => _last[(_count - Math.Min(_count, KeptEntries) + i) % KeptEntries]);
        return string.Join(Environment.NewLine, entries);
    }

    /// <summary>One thing that happened.</summary>
    /// <param name="Ticks">The virtual time.</param>
    /// <param name="End">The end of a connection, or -1 for the world.</param>
    /// <param name="What">A callback, an act, an event of the world.</param>
    /// <param name="Value">A size, a host, a reason: what fits.</param>
    internal readonly record struct Entry(long Ticks, int End, Happening What, long Value)
    {
        public override string ToString() =>
            $"{Ticks / 10.0,12:F1} us  {(End < 0 ? "world " : $"end {End,-2}")}  {(What < Happening.Write ? "" : "  . ")}{What}({Value})";
    }
}
