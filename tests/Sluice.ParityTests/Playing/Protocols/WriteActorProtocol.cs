namespace Sluice.ParityTests.Playing.Protocols;

/// <summary>The protocol of an actor at the writing end of a pipe.</summary>
internal sealed class WriteActorProtocol(Actor actor) : WriteProtocol, IActorProtocol
{
    public Actor Actor => actor;

    public override void ConnectionMade(IWriteTransport transport) => actor.Made(transport);

    public override void PauseWriting() => actor.Flow("pause");

    public override void ResumeWriting() => actor.Flow("resume");

    public override void ConnectionLost(Exception? exception) => actor.Lost(exception);
}
