namespace Sluice.Sweep.Streams;

/// <summary>A plain protocol whose callbacks are its end's.</summary>
internal sealed class PlainChaosProtocol(End end) : Protocol
{
    public override void ConnectionMade(ITransport transport) => end.OnMade(this, transport);

    public override void DataReceived(ReadOnlySpan<byte> data) => end.OnData(this, data);

    public override bool EofReceived() => end.OnEof(this);

    public override void DrainRequested() => end.OnDrain(this);

    public override void PauseWriting() => end.OnFlow(this, pause: true);

    public override void ResumeWriting() => end.OnFlow(this, pause: false);

    public override void ConnectionLost(Exception? exception) => end.OnLost(this, exception);
}
