using Sluice.Primitives;

namespace Sluice.Tls;

/// <summary>
/// Cuts a transport's queue and the bytes behind it into pieces of one record each. A piece that lies in one segment is not copied; others are gathered in the
/// workspace.
/// </summary>
internal ref struct PlaintextChunks(WriteSlice queue, ReadOnlySpan<byte> extra, TlsWorkspace space)
{
    private WriteSlice.Enumerator _segments = queue.GetEnumerator();
    private ReadOnlyMemory<byte> _segment;
    private int _queued = queue.Count;
    private ReadOnlySpan<byte> _extra = extra;

    /// <summary>The next piece, good until the next call on any of the workspace's users. False at the end.</summary>
    public bool Next(out ReadOnlyMemory<byte> chunk)
    {
        if (TryTakeWhole(out chunk)) return true;
        var record = space.Record;
        var filled = 0;
        while (filled < record.Length && FillSegment())
        {
            var part = _segment[..Math.Min(_segment.Length, record.Length - filled)];
            part.Span.CopyTo(record.AsSpan(filled));
            Advance(part.Length);
            filled += part.Length;
        }

        var rest = _extra[..Math.Min(_extra.Length, record.Length - filled)];
        rest.CopyTo(record.AsSpan(filled));
        _extra = _extra[rest.Length..];
        chunk = record.AsMemory(0, filled + rest.Length);
        return chunk.Length > 0;
    }

    private bool TryTakeWhole(out ReadOnlyMemory<byte> chunk)
    {
        chunk = default;
        if (!FillSegment()) return false;
        var isAll = _segment.Length == _queued && _extra.IsEmpty;
        if (_segment.Length < space.Record.Length && !isAll) return false;
        chunk = _segment[..Math.Min(_segment.Length, space.Record.Length)];
        Advance(chunk.Length);
        return true;
    }

    private bool FillSegment()
    {
        if (!_segment.IsEmpty) return true;
        if (!_segments.MoveNext()) return false;
        _segment = _segments.Segment.Array.AsMemory(_segments.Segment.Start, _segments.Length);
        return true;
    }

    private void Advance(int count)
    {
        _segment = _segment[count..];
        _queued -= count;
    }
}
