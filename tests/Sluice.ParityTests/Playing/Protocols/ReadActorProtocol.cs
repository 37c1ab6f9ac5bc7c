namespace Sluice.ParityTests.Playing.Protocols;

/// <summary>The protocol of an actor at the reading end of a pipe.</summary>
internal sealed class ReadActorProtocol(Actor actor) : ReadProtocol, IActorProtocol
{
    public Actor Actor => actor;

    public override void ConnectionMade(IReadTransport transport) => actor.Made(transport);

    public override void DataReceived(ReadOnlySpan<byte> data) => actor.Data(data);

    public override bool EofReceived() => actor.Eof();

    public override void ConnectionLost(Exception? exception) => actor.Lost(exception);
}
