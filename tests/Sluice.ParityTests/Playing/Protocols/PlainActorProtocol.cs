namespace Sluice.ParityTests.Playing.Protocols;

/// <summary>The plain protocol of an actor.</summary>
internal sealed class PlainActorProtocol(Actor actor) : Protocol, IActorProtocol
{
    public Actor Actor => actor;

    public override void ConnectionMade(ITransport transport) => actor.Made(transport);

    public override void DataReceived(ReadOnlySpan<byte> data) => actor.Data(data);

    public override bool EofReceived() => actor.Eof();

    public override void PauseWriting() => actor.Flow("pause");

    public override void ResumeWriting() => actor.Flow("resume");

    public override void ConnectionLost(Exception? exception) => actor.Lost(exception);
}
