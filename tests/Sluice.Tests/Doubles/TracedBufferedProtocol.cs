namespace Sluice.Tests.Doubles;

/// <summary>A protocol with a receive buffer of its own, of the given size, that writes its callbacks down.</summary>
internal sealed class TracedBufferedProtocol(Callbacks callbacks, int bufferSize) : BufferedProtocol
{
    private readonly byte[] _buffer = new byte[bufferSize];

    public override void ConnectionMade(ITransport transport) => callbacks.Made(transport);

    public override Memory<byte> GetBuffer(int sizeHint)
    {
        callbacks.Called("GetBuffer", $"{sizeHint}");
        return _buffer;
    }

    public override void BufferUpdated(int count) => callbacks.Data("BufferUpdated", _buffer.AsSpan(0, count));

    public override bool EofReceived()
    {
        callbacks.Called("EofReceived");
        return callbacks.KeepsOpen;
    }

    public override void PauseWriting() => callbacks.Called("PauseWriting");

    public override void ResumeWriting() => callbacks.Called("ResumeWriting");

    public override void ConnectionLost(Exception? exception) => callbacks.Lost(exception);
}
