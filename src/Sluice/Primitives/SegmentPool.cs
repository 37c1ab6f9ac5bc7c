using System.Numerics;

namespace Sluice.Primitives;

/// <summary>
/// The segments that a loop's queues share; one pool per loop, used on its thread only. The memory of one large queue must not be kept for ever:
/// at most <see cref="MaxFree"/> segments (4 MiB) are kept, the rest is left to the collector.
/// </summary>
/// <remarks>
/// Queues of bytes use segments of one size. A datagram lies whole in one segment, so there are larger ones too, up to 64 KiB in powers of two; of each size at most 256 KiB are kept, and of the
/// blocks of waiting datagrams as much. What is out is accounted to the process's budget by the segment, in large steps: no message pays for that.
/// </remarks>
/// <param name="budget">Which all loops of the process share, or null for one without a limit.</param>
internal sealed class SegmentPool(WriteBudget? budget = null)
{
    public const int SegmentSize = 4096;
    public const int MaxFree = 1024;
    public const int LargestSize = 64 * 1024;

    private const int MaxFreeBytesOfLarger = 256 * 1024;
    private const int BlockSize = DatagramEntry.BlockLength * DatagramQueue.EntrySize;

    /// <summary>The steps in which it accounts to the budget.</summary>
    private const int GrantStep = 256 * 1024;

    private readonly Shelf[] _larger = new Shelf[BitOperations.Log2(LargestSize / SegmentSize) + 1];
    private readonly WriteBudget _budget = budget ?? new WriteBudget(long.MaxValue);
    private readonly Stack<DatagramEntry[]> _blocks = new();
    private Segment? _free;
    private long _granted;

    public int Free { get; private set; }

    /// <summary>Bytes of the segments and blocks that are out.</summary>
    public long Held { get; private set; }

    /// <summary>The process has more waiting to be sent than it may.</summary>
    public bool IsOverBudget => _budget.IsExceeded;

    /// <summary>What the process may have.</summary>
    public long Budget => _budget.Limit;

    public Segment Rent()
    {
        Take(SegmentSize);
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
        var size = room > LargestSize ? room : (int)BitOperations.RoundUpToPowerOf2((uint)room);
        Take(size);
        if (room > LargestSize) return New(room);
        return _larger[ShelfOf(size)].TryTake() ?? New(size);
    }

    public void Return(Segment segment)
    {
        var size = segment.Array.Length;
        GiveBack(size);
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

    /// <summary>Room for <see cref="DatagramEntry.BlockLength"/> entries, all empty.</summary>
    public DatagramEntry[] RentBlock()
    {
        Take(BlockSize);
        return _blocks.TryPop(out var block) ? block : new DatagramEntry[DatagramEntry.BlockLength];
    }

    /// <summary>Takes back a block whose entries have been emptied.</summary>
    public void ReturnBlock(DatagramEntry[] block)
    {
        GiveBack(BlockSize);
        if (_blocks.Count < MaxFreeBytesOfLarger / BlockSize) _blocks.Push(block);
    }

    /// <summary>The loop has ended: what is still out counts no longer.</summary>
    public void Close()
    {
        _budget.Add(-_granted);
        _granted = 0;
    }

    private void Take(int size)
    {
        Held += size;
        if (Held <= _granted) return;
        var step = Math.Max(GrantStep, size);
        _granted += step;
        _budget.Add(step);
    }

    private void GiveBack(int size)
    {
        Held -= size;
        if (_granted - Held <= 2 * GrantStep) return;
        var step = _granted - Held - GrantStep;
        _granted -= step;
        _budget.Add(-step);
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
