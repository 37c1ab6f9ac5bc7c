using Sluice.Loop;

namespace Sluice.Subprocesses;

/// <summary>
/// The one place that calls a subprocess protocol: in the ExecutionContext of the call that started the child, timed in debug mode. Whatever a callback throws goes to
/// the loop's handler and changes nothing. Owned by its transport.
/// </summary>
internal sealed class SubprocessBinding(LoopCore loop, ExecutionContext? context, SubprocessTransport transport)
{
    private SubprocessProtocol? _protocol;

    public SubprocessProtocol? Protocol => _protocol;

    public void Bind(SubprocessProtocol protocol)
    {
        protocol.Serves = transport;
        _protocol = protocol;
    }

    public void Release()
    {
        if (_protocol is not null) _protocol.Serves = null;
        _protocol = null;
    }

    public void ConnectionMade() => Call(nameof(ConnectionMade), protocol => protocol.ConnectionMade(transport));

    public void ProcessExited() => Call(nameof(ProcessExited), static protocol => protocol.ProcessExited());

    public void PipeConnectionLost(int fd, Exception? reason) =>
        Call(nameof(PipeConnectionLost), protocol => protocol.PipeConnectionLost(fd, reason));

    public void ConnectionLost() => Call(nameof(ConnectionLost), static protocol => protocol.ConnectionLost(null));

    /// <summary>Comes inside the pipe's own callback, whose context and clock are this one's.</summary>
    public void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
    {
        try
        {
            _protocol?.PipeDataReceived(fd, data);
        }
        catch (Exception exception)
        {
            Report("Exception in callback protocol.PipeDataReceived()", exception);
        }
    }

    /// <summary>Comes inside a write of the user's or the pipe's own callback, in this context already.</summary>
    public void FlowChanged(bool pause)
    {
        try
        {
            if (pause) _protocol?.PauseWriting();
            else _protocol?.ResumeWriting();
        }
        catch (Exception exception)
        {
            loop.Errors.Report(Describe(pause ? "protocol.PauseWriting() failed" : "protocol.ResumeWriting() failed", exception));
        }
    }

    private void Call(string callback, Action<SubprocessProtocol> call)
    {
        if (_protocol is not { } protocol) return;
        CallbackContext.Enter(context);
        var started = loop.StartCallback();
        try
        {
            call(protocol);
        }
        catch (Exception exception)
        {
            Report($"Exception in callback protocol.{callback}()", exception);
        }

        if (loop.Debug) loop.EndCallback(started, $"{protocol.GetType()}.{callback}");
    }

    private void Report(string message, Exception exception) => loop.ReportThrown(Describe(message, exception));

    private ExceptionContext Describe(string message, Exception exception) => new(message) { Exception = exception, Transport = transport, Protocol = _protocol };
}
