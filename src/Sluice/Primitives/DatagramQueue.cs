using System.Diagnostics;

namespace Sluice.Primitives;

/// <summary>
/// The datagrams that a transport has accepted and the kernel has not taken, in order: payloads copied into rented memory, each with its address. A struct inside its transport, which
/// alone appends and removes; backends look.
/// </summary>
/// <remarks>
/// A peer decides how long datagrams wait, so what they take is counted: payloads lie one behind the other in segments, entries in blocks that are rented as well, and <see cref="Held"/> is never
/// less than half of the memory behind it, whatever their sizes. An empty queue holds none.
/// </remarks>
internal struct DatagramQueue
{
    /// <summary>What a datagram counts beside its payload in <see cref="Size"/>: asyncio's figure.</summary>
    public const int HeaderSize = 8;

    /// <summary>What it counts beside its payload in <see cref="Held"/>: its entry.</summary>
    public const int EntrySize = 64;

    /// <summary>What the name of a Unix socket counts in <see cref="Held"/>, unless the datagram before has the very same.</summary>
    public const int NameSize = 192;

    /// <summary>From this size on payloads share larger segments, so that little of each stays empty.</summary>
    private const int LargeQueue = 16 * 1024;

    private const int FewBlocks = 16;

    private DatagramEntry[]?[]? _blocks;
    private Segment? _tail;
    private int _head;
    private int _count;

    /// <summary>How many datagrams wait.</summary>
    public readonly int Count => _count;

    /// <summary>Their payloads and <see cref="HeaderSize"/> for each.</summary>
    public int Size { get; private set; }

    /// <summary>What is really held for them, as the limit counts it.</summary>
    public long Held { get; private set; }

    /// <summary>The payload at a place, 0 being the oldest.</summary>
    public readonly ReadOnlySpan<byte> PayloadAt(int index) => EntryAt(index).Payload;

    /// <summary>The receiver at a place; none where it is the endpoint's only peer.</summary>
    public readonly ref readonly DatagramAddress AddressAt(int index) => ref EntryAt(index).Address;

    /// <summary>What <see cref="Held"/> would grow by.</summary>
    public readonly long CostOf(int length, in DatagramAddress address) =>
        (long)length + EntrySize + (address.Unix is null || (_count > 0 && ReferenceEquals(EntryAt(_count - 1).Address.Unix, address.Unix)) ? 0 : NameSize);

    public void Append(SegmentPool pool, ReadOnlySpan<byte> payload, in DatagramAddress address)
    {
        var cost = CostOf(payload.Length, address);
        if (payload.Length > 0 && (_tail is null || _tail.Room < payload.Length)) _tail = pool.Rent(RoomFor(payload.Length));
        ref var entry = ref NewEntry(pool);
        entry.Segment = _tail;
        entry.Length = payload.Length;
        entry.Cost = (int)cost;
        entry.Address = address;
        if (_tail is not null)
        {
            entry.Start = _tail.End;
            payload.CopyTo(_tail.Array.AsSpan(_tail.End));
            _tail.End += payload.Length;
        }

        Size += payload.Length + HeaderSize;
        Held += cost;
    }

    /// <summary>Drops the oldest: they were sent, or refused.</summary>
    public void RemoveFirst(SegmentPool pool, int count)
    {
        Debug.Assert(count <= _count, "removed more than was queued");
        for (; count > 0; count--)
        {
            ref var entry = ref EntryAt(0);
            Size -= entry.Length + HeaderSize;
            Held -= entry.Cost;
            var segment = entry.Segment;
            entry = default;
            _count--;
            Advance(pool);
            if (segment is not null && (_count == 0 || EntryAt(0).Segment != segment)) pool.Return(segment);
        }

        if (_count == 0) LetGo(pool);
    }

    public void Clear(SegmentPool pool) => RemoveFirst(pool, _count);

    private readonly int RoomFor(int length) =>
        length > SegmentPool.SegmentSize / 4 && length < SegmentPool.LargestSize / 2 && Size >= LargeQueue ? Math.Min(4 * length, SegmentPool.LargestSize) : length;

    private readonly ref DatagramEntry EntryAt(int index)
    {
        Debug.Assert(index >= 0 && index < _count, "looked beyond the queue");
        return ref At(_head + index);
    }

    private readonly ref DatagramEntry At(int place) =>
        ref _blocks![(place / DatagramEntry.BlockLength) & (_blocks.Length - 1)]![place % DatagramEntry.BlockLength];

    private ref DatagramEntry NewEntry(SegmentPool pool)
    {
        var place = _head + _count;
        if (place % DatagramEntry.BlockLength == 0 || _blocks is null) AddBlock(pool, place / DatagramEntry.BlockLength);
        _count++;
        return ref At(place);
    }

    /// <summary>The ring of blocks begins with the oldest, and doubles where it is full.</summary>
    private void AddBlock(SegmentPool pool, int index)
    {
        if (_blocks is null)
        {
            _blocks = new DatagramEntry[FewBlocks][];
        }
        else if (index - _head / DatagramEntry.BlockLength == _blocks.Length)
        {
            var grown = new DatagramEntry[]?[_blocks.Length * 2];
            for (var i = _head / DatagramEntry.BlockLength; i < index; i++) grown[i & (grown.Length - 1)] = _blocks[i & (_blocks.Length - 1)];
            _blocks = grown;
        }

        _blocks[index & (_blocks.Length - 1)] = pool.RentBlock();
    }

    /// <summary>The oldest has gone, and with the last of a block the block.</summary>
    private void Advance(SegmentPool pool)
    {
        if (++_head % DatagramEntry.BlockLength != 0) return;
        ReturnBlock(pool, _head / DatagramEntry.BlockLength - 1);
        // Places are counted from the oldest block of a round of the ring.
        if (_head == _blocks!.Length * DatagramEntry.BlockLength) _head = 0;
    }

    private void LetGo(SegmentPool pool)
    {
        if (_blocks is null) return;
        if (_head % DatagramEntry.BlockLength != 0) ReturnBlock(pool, _head / DatagramEntry.BlockLength);
        _head = 0;
        _tail = null;
        if (_blocks.Length > FewBlocks) _blocks = null;
    }

    private readonly void ReturnBlock(SegmentPool pool, int index)
    {
        ref var block = ref _blocks![index & (_blocks.Length - 1)];
        pool.ReturnBlock(block!);
        block = null;
    }
}
