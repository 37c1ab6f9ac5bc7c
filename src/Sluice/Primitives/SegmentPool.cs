namespace Sluice.Primitives;

/// <summary>
/// The segments that a loop's queues share; one pool per loop, used on its thread only. A flood of queued bytes must not stay for ever:
/// at most <see cref="MaxFree"/> segments (4 MiB) are kept, the rest is left to the collector.
/// </summary>
internal sealed class SegmentPool
{
    public const int SegmentSize = 4096;
    public const int MaxFree = 1024;

    private Segment? _free;

    public int Free { get; private set; }

    public Segment Rent()
    {
        if (_free is not { } segment) return new Segment(GC.AllocateUninitializedArray<byte>(SegmentSize, pinned: true));
        _free = segment.Next;
        segment.Next = null;
        Free--;
        return segment;
    }

    /// <summary>A segment of at least the given room; those larger than the pool's size are made for the occasion.</summary>
    public Segment Rent(int room) =>
        room <= SegmentSize ? Rent() : new Segment(GC.AllocateUninitializedArray<byte>(room, pinned: true));

    public void Return(Segment segment)
    {
        if (Free == MaxFree || segment.Array.Length != SegmentSize) return;
        segment.Start = segment.End = 0;
        segment.Next = _free;
        _free = segment;
        Free++;
    }
}
