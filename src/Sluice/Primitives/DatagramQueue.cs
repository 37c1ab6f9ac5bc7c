using System.Diagnostics;

namespace Sluice.Primitives;

/// <summary>
/// The datagrams that a transport has accepted and the kernel has not taken, in order: payloads copied into rented memory, each with its address. A struct inside its transport, which
/// alone appends and removes; backends look.
/// </summary>
internal struct DatagramQueue
{
    /// <summary>What a datagram counts beside its payload, so that empty ones cannot pile up unseen.</summary>
    public const int HeaderSize = 8;

    private const int FirstCapacity = 16;

    private Entry[]? _ring;
    private int _head;
    private int _count;

    /// <summary>How many datagrams wait.</summary>
    public readonly int Count => _count;

    /// <summary>Their payloads and <see cref="HeaderSize"/> for each.</summary>
    public int Size { get; private set; }

    /// <summary>The payload at a place, 0 being the oldest.</summary>
    public readonly ReadOnlySpan<byte> PayloadAt(int index) => EntryAt(index).Payload.Span;

    /// <summary>The receiver at a place; none where it is the endpoint's only peer.</summary>
    public readonly ref readonly DatagramAddress AddressAt(int index) => ref EntryAt(index).Address;

    public void Append(SegmentPool pool, ReadOnlySpan<byte> payload, in DatagramAddress address)
    {
        if (_ring is null || _count == _ring.Length) Grow();
        var segment = pool.Rent(Math.Max(payload.Length, 1));
        payload.CopyTo(segment.Array);
        segment.End = payload.Length;
        _ring![(_head + _count) & (_ring.Length - 1)] = new Entry(segment, address);
        _count++;
        Size += payload.Length + HeaderSize;
    }

    /// <summary>Drops the oldest: they were sent, or refused.</summary>
    public void RemoveFirst(SegmentPool pool, int count)
    {
        Debug.Assert(count <= _count, "removed more than was queued");
        for (; count > 0; count--)
        {
            ref var entry = ref _ring![_head];
            Size -= entry.Payload.Length + HeaderSize;
            pool.Return(entry.Payload);
            entry = default;
            _head = (_head + 1) & (_ring.Length - 1);
            _count--;
        }
    }

    public void Clear(SegmentPool pool) => RemoveFirst(pool, _count);

    private readonly ref readonly Entry EntryAt(int index)
    {
        Debug.Assert(index >= 0 && index < _count, "looked beyond the queue");
        return ref _ring![(_head + index) & (_ring.Length - 1)];
    }

    private void Grow()
    {
        var grown = new Entry[_ring is null ? FirstCapacity : _ring.Length * 2];
        for (var i = 0; i < _count; i++) grown[i] = EntryAt(i);
        _ring = grown;
        _head = 0;
    }

    private struct Entry(Segment payload, in DatagramAddress address)
    {
        public readonly Segment Payload = payload;
        public DatagramAddress Address = address;
    }
}
