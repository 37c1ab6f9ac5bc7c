namespace Sluice.Testing.Kernel.Links;

/// <summary>A FIFO of bytes that grows: what a simulated kernel holds for one end of a connection.</summary>
internal sealed class ByteRing
{
    private byte[] _bytes = [];
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
        DropFirst(target.Length);
    }

    public void DropFirst(int count)
    {
        if (count == 0) return;
        _head = (_head + count) & (_bytes.Length - 1);
        Count -= count;
    }

    public void DropLast(int count) => Count -= count;

    private void Grow(int size)
    {
        var bytes = new byte[System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(size, 256))];
        var count = Count;
        Take(bytes.AsSpan(0, count));
        (_bytes, _head, Count) = (bytes, 0, count);
    }
}
