namespace Sluice.Primitives;

/// <summary>One link in a chain of bytes. Pinned, so that its address can be handed to the kernel. Owned by one queue at a time.</summary>
internal sealed class Segment(byte[] array)
{
    public readonly byte[] Array = array;
    public int Start;
    public int End;
    public Segment? Next;

    public int Length => End - Start;

    public int Room => Array.Length - End;

    public Span<byte> Span => Array.AsSpan(Start, End - Start);
}
