using System.Numerics;

namespace Sluice.Primitives;

/// <summary>
/// The segments that a loop's queues share; one pool per loop, used on its thread only. The memory of one large queue must not be kept for ever:
/// at most <see cref="MaxFree"/> segments (4 MiB) are kept, the rest is left to the collector.
/// </summary>
/// <remarks>
/// Queues of bytes use segments of one size. A datagram is one segment, up to 64 KiB, so there are larger ones too, in powers of two; of each size at most 256 KiB are kept.
/// </remarks>
internal sealed class SegmentPool
{
    public const int SegmentSize = 4096;
    public const int MaxFree = 1024;
    public const int LargestSize = 64 * 1024;

    private const int MaxFreeBytesOfLarger = 256 * 1024;

    private readonly Shelf[] _larger = new Shelf[BitOperations.Log2(LargestSize / SegmentSize) + 1];
    private Segment? _free;

    public int Free { get; private set; }

    public Segment Rent()
    {
        if (_free is not { } segment) return New(SegmentSize);
        _free = segment.Next;
        segment.Next = null;
        Free--;
        return segment;
    }

    /// <summary>A segment of at least the given room; those larger than <see cref="LargestSize"/> are made for the occasion.</summary>
    public Segment Rent(int room)
    {
        if (room <= SegmentSize) return Rent();
        if (room > LargestSize) return New(room);
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)room);
        return _larger[ShelfOf(size)].TryTake() ?? New(size);
    }

    public void Return(Segment segment)
    {
        var size = segment.Array.Length;
        if (size == SegmentSize)
        {
            if (Free == MaxFree) return;
            segment.Start = segment.End = 0;
            segment.Next = _free;
            _free = segment;
            Free++;
        }
        else if (size <= LargestSize && BitOperations.IsPow2(size))
        {
            segment.Start = segment.End = 0;
            _larger[ShelfOf(size)].Put(segment, MaxFreeBytesOfLarger / size);
        }
    }

    private static int ShelfOf(int size) => BitOperations.Log2((uint)(size / SegmentSize));

    private static Segment New(int room) => new(GC.AllocateUninitializedArray<byte>(room, pinned: true));

    /// <summary>The free segments of one size.</summary>
    private struct Shelf
    {
        private Segment? _first;
        private int _count;

        public Segment? TryTake()
        {
            if (_first is not { } segment) return null;
            _first = segment.Next;
            segment.Next = null;
            _count--;
            return segment;
        }

        public void Put(Segment segment, int most)
        {
            if (_count == most) return;
            segment.Next = _first;
            _first = segment;
            _count++;
        }
    }
}
