namespace Sluice.EchoServer;

/// <summary>Writes back what it reads, and reads no more than the peer takes.</summary>
internal sealed class Echo(Traffic traffic) : Protocol
{
    private ITransport _transport = null!;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        traffic.Count(data.Length);
        _transport.Write(data);
    }

    public override void PauseWriting() => _transport.PauseReading();

    public override void ResumeWriting() => _transport.ResumeReading();
}
