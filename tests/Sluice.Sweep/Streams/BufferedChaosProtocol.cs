namespace Sluice.Sweep.Streams;

/// <summary>A protocol with a buffer of its own, whose callbacks are its end's.</summary>
internal sealed class BufferedChaosProtocol(End end) : BufferedProtocol
{
    private Memory<byte> _lent;

    public override void ConnectionMade(ITransport transport) => end.OnMade(this, transport);

    public override Memory<byte> GetBuffer(int sizeHint)
    {
        _lent = default;
        return _lent = end.OnGetBuffer(this, sizeHint);
    }

    public override void BufferUpdated(int count)
    {
        var lent = _lent;
        _lent = default;
        end.OnBufferUpdated(this, lent, count);
    }

    public override bool EofReceived() => end.OnEof(this);

    public override void DrainRequested() => end.OnDrain(this);

    public override void PauseWriting() => end.OnFlow(this, pause: true);

    public override void ResumeWriting() => end.OnFlow(this, pause: false);

    public override void ConnectionLost(Exception? exception) => end.OnLost(this, exception);
}
