using System.Diagnostics;

namespace Sluice.Primitives;

/// <summary>
/// The bytes that a transport has accepted and the kernel has not taken (or received and not delivered): a chain of segments, appended at
/// the tail, consumed at the head. A struct inside its owner; only the transport appends and consumes, backends read through <see cref="WriteSlice"/>.
/// </summary>
internal struct WriteQueue
{
    private Segment? _head;
    private Segment? _tail;
    private int _count;

    public readonly int Count => _count;

    public readonly bool IsEmpty => _count == 0;

    /// <summary>All of it, as backends see it.</summary>
    public readonly WriteSlice View => new(_head, _count);

    public void Append(SegmentPool pool, ReadOnlySpan<byte> data)
    {
        _count += data.Length;
        while (data.Length > 0)
        {
            if (_tail is not { Room: > 0 }) Grow(pool.Rent());
            var part = data[..Math.Min(data.Length, _tail!.Room)];
            part.CopyTo(_tail.Array.AsSpan(_tail.End));
            _tail.End += part.Length;
            data = data[part.Length..];
        }
    }

    /// <summary>Room at the tail to write into, at least <paramref name="size"/> bytes; <see cref="Commit"/> makes it part of the queue.</summary>
    public Memory<byte> Reserve(SegmentPool pool, int size)
    {
        size = Math.Max(size, 1);
        if (_tail is null || _tail.Room < size) Grow(pool.Rent(size));
        return _tail!.Array.AsMemory(_tail.End);
    }

    public void Commit(int count)
    {
        Debug.Assert(_tail is not null && count <= _tail.Room, "committed more than was reserved");
        _tail!.End += count;
        _count += count;
    }

    public void Consume(SegmentPool pool, int count)
    {
        Debug.Assert(count <= _count, "consumed more than was queued");
        while (count > 0)
        {
            var head = _head!;
            var taken = Math.Min(count, head.Length);
            head.Start += taken;
            _count -= taken;
            count -= taken;
            if (head.Length == 0) pool.Return(TakeHead());
        }

        if (_count == 0) Clear(pool);
    }

    /// <summary>Takes the first segment out, with its bytes. Not when empty.</summary>
    public Segment TakeHead()
    {
        var head = _head!;
        _head = head.Next;
        if (_head is null) _tail = null;
        head.Next = null;
        _count -= head.Length;
        return head;
    }

    /// <summary>Drops all bytes. No write may be outstanding: the kernel could still be reading them.</summary>
    public void Clear(SegmentPool pool)
    {
        while (_head is not null) pool.Return(TakeHead());
    }

    private void Grow(Segment segment)
    {
        if (_tail is null) _head = segment;
        else _tail.Next = segment;
        _tail = segment;
    }
}
