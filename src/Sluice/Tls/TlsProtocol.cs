namespace Sluice.Tls;

/// <summary>TLS as the transport below sees it: the protocol that it calls. Hands everything to its channel, which owns it.</summary>
internal sealed class TlsProtocol(TlsChannel channel) : BufferedProtocol
{
    public override void ConnectionMade(ITransport transport) => channel.BeginHandshake();

    public override Memory<byte> GetBuffer(int sizeHint) => channel.ReceiveBuffer;

    public override void BufferUpdated(int count) => channel.OnReceived(count);

    public override bool EofReceived() => channel.OnEnd();

    // What had arrived below when the drain was asked for has been delivered.
    public override void DrainRequested() => channel.OnBelowDrained();

    public override void PauseWriting() => channel.OnPaused();

    public override void ResumeWriting() => channel.OnResumed();

    public override void ConnectionLost(Exception? exception) => channel.OnLost(exception);
}
