using System.Net;

namespace Sluice.EchoServer;

/// <summary>Sends each datagram back to where it came from.</summary>
internal sealed class DatagramEcho(Traffic traffic) : DatagramProtocol
{
    private IDatagramTransport _transport = null!;

    public override void ConnectionMade(IDatagramTransport transport) => _transport = transport;

    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
    {
        traffic.Count(data.Length);
        if (address is not null) _transport.SendTo(data, address);
    }
}
