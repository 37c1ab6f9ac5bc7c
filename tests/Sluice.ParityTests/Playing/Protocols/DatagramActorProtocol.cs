using System.Net;

namespace Sluice.ParityTests.Playing.Protocols;

/// <summary>The datagram protocol of an actor.</summary>
internal sealed class DatagramActorProtocol(Actor actor) : DatagramProtocol, IActorProtocol
{
    public Actor Actor => actor;

    public override void ConnectionMade(IDatagramTransport transport) => actor.EndpointMade(transport);

    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address) => actor.Datagram(data, address);

    public override void ErrorReceived(Exception exception) => actor.Error(exception);

    public override void PauseWriting() => actor.Flow("pause");

    public override void ResumeWriting() => actor.Flow("resume");

    public override void ConnectionLost(Exception? exception) => actor.Lost(exception);
}
