namespace Sluice.Testing.Kernel;

/// <summary>A FIFO of bytes that grows: what a simulated kernel holds for one end of a connection.</summary>
internal sealed class ByteRing
{
    private byte[] _bytes = new byte[256];
    private int _head;

    public int Count { get; private set; }

    public void Append(ReadOnlySpan<byte> data)
    {
        if (Count + data.Length > _bytes.Length) Grow(Count + data.Length);
        var tail = (_head + Count) & (_bytes.Length - 1);
        var first = Math.Min(data.Length, _bytes.Length - tail);
        data[..first].CopyTo(_bytes.AsSpan(tail));
        data[first..].CopyTo(_bytes);
        Count += data.Length;
    }

    public void Take(Span<byte> target)
    {
        var first = Math.Min(target.Length, _bytes.Length - _head);
        _bytes.AsSpan(_head, first).CopyTo(target);
        _bytes.AsSpan(0, target.Length - first).CopyTo(target[first..]);
        _head = (_head + target.Length) & (_bytes.Length - 1);
        Count -= target.Length;
    }

    public void Clear() => _head = Count = 0;

    private void Grow(int size)
    {
        var bytes = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)size)];
        var count = Count;
        Take(bytes.AsSpan(0, count));
        (_bytes, _head, Count) = (bytes, 0, count);
    }
}
