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
    private Segment? _lent;
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

    /// <summary>Room to write into, at least <paramref name="size"/> bytes; <see cref="Commit"/> makes what was written part of the queue, <see cref="EndLoan"/> nothing.</summary>
    /// <remarks>Where the tail has too little room a segment of its own is lent: it joins the queue only if enough was written to be worth it.</remarks>
    public Memory<byte> Reserve(SegmentPool pool, int size)
    {
        size = Math.Max(size, 1);
        if (_lent is { } lent && lent.Array.Length >= size) return lent.Array;
        EndLoan(pool);
        if (_tail is not null && _tail.Room >= size) return _tail.Array.AsMemory(_tail.End);
        _lent = pool.Rent(size);
        return _lent.Array;
    }

    public void Commit(SegmentPool pool, int count)
    {
        if (_lent is not { } lent)
        {
            Debug.Assert(count == 0 || (_tail is not null && count <= _tail.Room), "committed more than was reserved");
            if (count == 0) return;
            _tail!.End += count;
            _count += count;
        }
        else if (IsWorthKeeping(lent, count))
        {
            _lent = null;
            lent.End = count;
            Grow(lent);
            _count += count;
        }
        else
        {
            Append(pool, lent.Array.AsSpan(0, count));
        }
    }

    /// <summary>What is lent is lent no longer, and nothing of it joins the queue.</summary>
    public void EndLoan(SegmentPool pool)
    {
        if (_lent is not { } lent) return;
        _lent = null;
        pool.Return(lent);
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
        EndLoan(pool);
        while (_head is not null) pool.Return(TakeHead());
    }

    /// <summary>A chain of segments that are almost empty would hold many times what it counts: less than half of one, or what the tail has room for, is copied.</summary>
    private readonly bool IsWorthKeeping(Segment lent, int count) =>
        count > (_tail?.Room ?? 0) && (2L * count >= lent.Array.Length || (lent.Array.Length == SegmentPool.SegmentSize && _tail is null));

    private void Grow(Segment segment)
    {
        if (_tail is null) _head = segment;
        else _tail.Next = segment;
        _tail = segment;
    }
}
