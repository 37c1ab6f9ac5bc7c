namespace Sluice.Subprocesses;

/// <summary>The protocol of the pipe to a child's input. Owned by the pipe.</summary>
internal sealed class InputPipe(SubprocessBinding child) : WriteProtocol
{
    public override void PauseWriting() => child.FlowChanged(pause: true);

    public override void ResumeWriting() => child.FlowChanged(pause: false);

    public override void ConnectionLost(Exception? exception) => child.PipeConnectionLost(0, exception);
}
