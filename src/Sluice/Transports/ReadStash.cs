using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// What a backend delivered while the protocol was not to be called: bytes, and behind them perhaps the end of the stream. Made only
/// when needed; owned by its transport.
/// </summary>
internal sealed class ReadStash(SegmentPool pool)
{
    private WriteQueue _data;
    private Segment? _front;

    /// <summary>The read end behind the data, or null while there is none.</summary>
    public IoError? End { get; set; }

    public bool HasData => _front is not null || !_data.IsEmpty;

    /// <summary>How many bytes wait.</summary>
    public int Count
    {
        get
        {
            var count = _data.Count;
            for (var segment = _front; segment is not null; segment = segment.Next) count += segment.Span.Length;
            return count;
        }
    }

    public bool IsEmpty => !HasData && End is null;

    public void Append(ReadOnlySpan<byte> data) => _data.Append(pool, data);

    /// <summary>Puts back the rest of what <see cref="TakeFirst"/> gave.</summary>
    public void PutBack(ReadOnlySpan<byte> data)
    {
        var front = pool.Rent(data.Length);
        data.CopyTo(front.Array);
        front.End = data.Length;
        front.Next = _front;
        _front = front;
    }

    /// <summary>Takes the first segment out; the caller delivers it and gives it back with <see cref="Return"/>.</summary>
    public Segment TakeFirst()
    {
        if (_front is { } front)
        {
            _front = front.Next;
            front.Next = null;
            return front;
        }

        return _data.TakeHead();
    }

    public void Return(Segment segment) => pool.Return(segment);

    public void Clear()
    {
        _data.Clear(pool);
        while (_front is { } front)
        {
            _front = front.Next;
            front.Next = null;
            pool.Return(front);
        }
    }
}
