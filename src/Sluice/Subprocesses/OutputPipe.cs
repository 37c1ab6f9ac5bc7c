namespace Sluice.Subprocesses;

/// <summary>The protocol of the pipe from one of a child's outputs: all that it hears goes to the child's protocol. Owned by the pipe.</summary>
internal sealed class OutputPipe(SubprocessBinding child, int fd) : ReadProtocol
{
    public override void DataReceived(ReadOnlySpan<byte> data) => child.PipeDataReceived(fd, data);

    public override void ConnectionLost(Exception? exception) => child.PipeConnectionLost(fd, exception);
}
