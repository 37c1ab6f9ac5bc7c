namespace Sluice.Tests.Doubles;

/// <summary>A plain protocol that writes its callbacks down.</summary>
internal sealed class TracedProtocol(Callbacks callbacks) : Protocol
{
    public override void ConnectionMade(ITransport transport) => callbacks.Made(transport);

    public override void DataReceived(ReadOnlySpan<byte> data) => callbacks.Data("DataReceived", data);

    public override bool EofReceived()
    {
        callbacks.Called("EofReceived");
        return callbacks.KeepsOpen;
    }

    public override void PauseWriting() => callbacks.Called("PauseWriting");

    public override void ResumeWriting() => callbacks.Called("ResumeWriting");

    public override void ConnectionLost(Exception? exception) => callbacks.Lost(exception);
}
