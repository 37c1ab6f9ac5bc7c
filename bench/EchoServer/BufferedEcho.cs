namespace Sluice.EchoServer;

/// <summary>
/// The same over a buffer of its own: one for all connections of the loop, since a write does not keep the caller's memory.
/// </summary>
internal sealed class BufferedEcho(Traffic traffic) : BufferedProtocol
{
    private static readonly byte[] Buffer = GC.AllocateUninitializedArray<byte>(256 * 1024, pinned: true);

    private ITransport _transport = null!;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override Memory<byte> GetBuffer(int sizeHint) => Buffer;

    public override void BufferUpdated(int count)
    {
        traffic.Count(count);
        _transport.Write(Buffer.AsSpan(0, count));
    }

    public override void PauseWriting() => _transport.PauseReading();

    public override void ResumeWriting() => _transport.ResumeReading();
}
