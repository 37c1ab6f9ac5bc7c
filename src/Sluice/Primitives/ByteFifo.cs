namespace Sluice.Primitives;

/// <summary>Bytes in the order in which they came, in one array that grows and never shrinks. A field of its owner.</summary>
internal struct ByteFifo
{
    private const int FirstSize = 4096;

    private byte[]? _bytes;
    private int _head;

    public int Count { get; private set; }

    public void Append(ReadOnlySpan<byte> data)
    {
        MakeRoom(data.Length);
        data.CopyTo(_bytes.AsSpan(_head + Count));
        Count += data.Length;
    }

    /// <summary>Moves as many bytes as there are, or as fit.</summary>
    public int Take(Span<byte> target)
    {
        var taken = Math.Min(target.Length, Count);
        _bytes.AsSpan(_head, taken).CopyTo(target);
        Count -= taken;
        _head = Count == 0 ? 0 : _head + taken;
        return taken;
    }

    private void MakeRoom(int more)
    {
        var bytes = _bytes ?? [];
        if (bytes.Length - _head - Count >= more) return;
        // Moved only where that frees as much as it moves.
        var target = Count + more <= bytes.Length && _head >= Count ? bytes : new byte[Math.Max(checked(2 * Count + more), FirstSize)];
        bytes.AsSpan(_head, Count).CopyTo(target);
        (_bytes, _head) = (target, 0);
    }
}
