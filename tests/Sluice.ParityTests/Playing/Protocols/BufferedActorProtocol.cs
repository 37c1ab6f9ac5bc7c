namespace Sluice.ParityTests.Playing.Protocols;

/// <summary>The buffered protocol of an actor, with one buffer that is used anew for each read.</summary>
internal sealed class BufferedActorProtocol(Actor actor, int bufferSize) : BufferedProtocol, IActorProtocol
{
    private readonly byte[] _buffer = new byte[bufferSize];

    public Actor Actor => actor;

    public override void ConnectionMade(ITransport transport) => actor.Made(transport);

    public override Memory<byte> GetBuffer(int sizeHint)
    {
        actor.Once("get_buffer");
        return _buffer;
    }

    public override void BufferUpdated(int count) => actor.Data(_buffer.AsSpan(0, count));

    public override bool EofReceived() => actor.Eof();

    public override void PauseWriting() => actor.Flow("pause");

    public override void ResumeWriting() => actor.Flow("resume");

    public override void ConnectionLost(Exception? exception) => actor.Lost(exception);
}
