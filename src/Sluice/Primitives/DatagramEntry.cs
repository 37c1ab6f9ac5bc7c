namespace Sluice.Primitives;

/// <summary>One waiting datagram: where its payload lies, and its address. Entries live in blocks that a loop's queues share (<see cref="SegmentPool.RentBlock"/>).</summary>
internal struct DatagramEntry
{
    /// <summary>How many make a block.</summary>
    public const int BlockLength = 64;

    /// <summary>What holds the payload, and those of neighbours; null for an empty payload that came first.</summary>
    public Segment? Segment;

    public int Start;
    public int Length;

    /// <summary>What it counts towards the limit.</summary>
    public int Cost;

    public DatagramAddress Address;

    public readonly ReadOnlySpan<byte> Payload => Segment is null ? default : Segment.Array.AsSpan(Start, Length);
}
