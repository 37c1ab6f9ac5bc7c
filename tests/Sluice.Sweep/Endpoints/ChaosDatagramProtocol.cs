using System.Net;

namespace Sluice.Sweep.Endpoints;

/// <summary>A datagram protocol whose callbacks are its endpoint's.</summary>
internal sealed class ChaosDatagramProtocol(Endpoint endpoint) : DatagramProtocol
{
    public override void ConnectionMade(IDatagramTransport transport) => endpoint.OnMade(this, transport);

    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address) => endpoint.OnDatagram(this, data, address);

    public override void ErrorReceived(Exception exception) => endpoint.OnError(this, exception);

    public override void PauseWriting() => endpoint.OnFlow(this, pause: true);

    public override void ResumeWriting() => endpoint.OnFlow(this, pause: false);

    public override void ConnectionLost(Exception? exception) => endpoint.OnLost(this, exception);
}
