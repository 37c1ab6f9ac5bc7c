namespace Sluice.EchoServer;

/// <summary>What the connections of one loop echoed. Touched on the loop's thread only.</summary>
internal sealed class Traffic
{
    public long Messages { get; private set; }

    public long Bytes { get; private set; }

    /// <summary>One call of DataReceived or BufferUpdated.</summary>
    public void Count(int bytes)
    {
        Messages++;
        Bytes += bytes;
    }
}
