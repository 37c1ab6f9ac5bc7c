namespace Sluice.Testing;

/// <summary>
/// The judge of what a subprocess transport may do to its protocol: besides what holds for all, per pipe data and then its loss, once; the end of the child once; and all of
/// these before the end.
/// </summary>
/// <param name="violate">Told of every breach: the rule, and what happened in words.</param>
internal sealed class SubprocessContract(Action<ContractRule, string> violate) : TransportContract<ISubprocessTransport>(violate)
{
    private const int Pipes = 3;

    private readonly bool[] _isLost = new bool[Pipes];
    private readonly bool[] _exists = new bool[Pipes];
    private bool _hasExited;

    public override void ConnectionMade(ISubprocessTransport transport)
    {
        base.ConnectionMade(transport);
        _exists[0] = transport.StandardInput is not null;
        _exists[1] = transport.StandardOutput is not null;
        _exists[2] = transport.StandardError is not null;
    }

    public void PipeDataReceived(int fd, int count)
    {
        VerifyPipe(fd, "PipeDataReceived");
        Require(fd is 1 or 2, $"PipeDataReceived came for {fd}");
        Require(count > 0, "PipeDataReceived brought no bytes", ContractRule.Empty);
        var pipe = fd == 1 ? Transport?.StandardOutput : Transport?.StandardError;
        Require(pipe is not { IsReading: false }, "PipeDataReceived came while reading was paused or the pipe was closing", ContractRule.Paused);
    }

    public void PipeConnectionLost(int fd)
    {
        VerifyPipe(fd, "PipeConnectionLost");
        _isLost[fd] = true;
    }

    public void ProcessExited()
    {
        VerifyOpen("ProcessExited");
        VerifyOutermost("ProcessExited");
        Require(!_hasExited, "ProcessExited came twice");
        Require(Transport?.ReturnCode is not null, "ProcessExited came without a return code");
        _hasExited = true;
    }

    public void ConnectionLost(Exception? exception)
    {
        Require(exception is null, "ConnectionLost came with an exception");
        Require(_hasExited, "ConnectionLost came before ProcessExited");
        for (var fd = 0; fd < Pipes; fd++) Require(_isLost[fd] == _exists[fd], $"ConnectionLost came before PipeConnectionLost of {fd}");
        ConnectionLost();
    }

    private void VerifyPipe(int fd, string callback)
    {
        VerifyOpen(callback);
        VerifyOutermost(callback);
        Require(fd is >= 0 and < Pipes && _exists[fd], $"{callback} came for {fd}, which is no pipe");
        Require(!_isLost[fd], $"{callback} came for {fd} after its PipeConnectionLost", ContractRule.Reentrancy);
    }
}
