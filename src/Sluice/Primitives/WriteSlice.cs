namespace Sluice.Primitives;

/// <summary>A read-only view of queued bytes: the first <see cref="Count"/> bytes of a chain. The segments stay put while a write is outstanding.</summary>
/// <param name="head">The first segment, or null for no bytes.</param>
/// <param name="count">How many bytes belong to the slice; what lies behind them in the chain does not.</param>
internal readonly struct WriteSlice(Segment? head, int count)
{
    public Segment? Head => head;

    public int Count => count;

    public bool IsEmpty => count == 0;

    /// <summary>The parts of the slice in order, none of them empty.</summary>
    public Enumerator GetEnumerator() => new(head, count);

    internal ref struct Enumerator(Segment? next, int left)
    {
        private Segment? _next = next;
        private int _left = left;

        /// <summary>The segment under the cursor; its bytes of the slice are <c>Array[Start..Start + Length]</c>.</summary>
        public Segment Segment { get; private set; } = null!;

        public int Length { get; private set; }

        public readonly ReadOnlySpan<byte> Current => Segment.Array.AsSpan(Segment.Start, Length);

        public bool MoveNext()
        {
            while (_left > 0 && _next is not null)
            {
                Segment = _next;
                Length = Math.Min(_left, Segment.Length);
                _next = Segment.Next;
                _left -= Length;
                if (Length > 0) return true;
            }

            return false;
        }
    }
}
