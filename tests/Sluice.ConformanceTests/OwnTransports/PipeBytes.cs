namespace Sluice.ConformanceTests.OwnTransports;

/// <summary>A queue of bytes: of those that wait to be sent, and of those that have arrived. Owned by a <see cref="PipeTransport"/>.</summary>
internal sealed class PipeBytes
{
    private byte[] _bytes = [];
    private int _start;

    public int Count { get; private set; }

    public void Append(ReadOnlySpan<byte> data)
    {
        if (_start + Count + data.Length > _bytes.Length)
        {
            var larger = _bytes.Length >= (Count + data.Length) * 2 ? _bytes : new byte[(Count + data.Length) * 2];
            Buffer.BlockCopy(_bytes, _start, larger, 0, Count);
            (_bytes, _start) = (larger, 0);
        }

        data.CopyTo(_bytes.AsSpan(_start + Count));
        Count += data.Length;
    }

    /// <summary>Takes the oldest bytes out.</summary>
    public byte[] Take(int most)
    {
        var taken = _bytes.AsSpan(_start, Math.Min(most, Count)).ToArray();
        _start += taken.Length;
        Count -= taken.Length;
        return taken;
    }

    /// <summary>Puts bytes back that were taken out.</summary>
    public void PutBack(ReadOnlySpan<byte> data)
    {
        var later = Take(Count);
        Append(data);
        Append(later);
    }

    public void Clear() => (Count, _start) = (0, 0);
}
