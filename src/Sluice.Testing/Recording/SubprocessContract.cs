namespace Sluice.Testing;

/// <summary>
/// The judge of what a subprocess transport may do to its protocol: made once and first, lost once and last; per pipe data and then its loss, once; the end of the child once.
/// Owned by who stands in for the protocol, who tells it of each callback before it acts.
/// </summary>
/// <param name="violate">Told of every breach.</param>
internal sealed class SubprocessContract(Action<ContractRule, string> violate)
{
    private const int Pipes = 3;

    private readonly bool[] _isLost = new bool[Pipes];
    private readonly bool[] _exists = new bool[Pipes];
    private bool _hasExited;
    private bool _isOver;
    private int _depth;

    /// <summary>The transport of ConnectionMade, or null before it.</summary>
    public ISubprocessTransport? Transport { get; private set; }

    public bool IsWritingPaused { get; private set; }

    public bool IsOver => _isOver;

    public void ConnectionMade(ISubprocessTransport transport)
    {
        Require(Transport is null, "ConnectionMade came twice");
        VerifyOutermost("ConnectionMade");
        Transport = transport;
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

    public void PauseWriting()
    {
        VerifyOpen("PauseWriting");
        Require(!IsWritingPaused, "PauseWriting came twice without ResumeWriting", ContractRule.Flow);
        IsWritingPaused = true;
    }

    public void ResumeWriting()
    {
        VerifyOpen("ResumeWriting");
        Require(IsWritingPaused, "ResumeWriting came without PauseWriting", ContractRule.Flow);
        IsWritingPaused = false;
    }

    public void ConnectionLost(Exception? exception)
    {
        VerifyOpen("ConnectionLost");
        VerifyOutermost("ConnectionLost");
        Require(exception is null, "ConnectionLost came with an exception");
        Require(_hasExited, "ConnectionLost came before ProcessExited");
        for (var fd = 0; fd < Pipes; fd++) Require(_isLost[fd] == _exists[fd], $"ConnectionLost came before PipeConnectionLost of {fd}");
        Require(Transport is not { Protocol: null }, "the transport forgot its protocol before ConnectionLost had returned");
        _isOver = true;
    }

    /// <summary>Marks the span of a callback: of others only PauseWriting and ResumeWriting may come within.</summary>
    public void Enter() => _depth++;

    public void Leave() => _depth--;

    private void VerifyPipe(int fd, string callback)
    {
        VerifyOpen(callback);
        VerifyOutermost(callback);
        Require(fd is >= 0 and < Pipes && _exists[fd], $"{callback} came for {fd}, which is no pipe");
        Require(!_isLost[fd], $"{callback} came for {fd} after its PipeConnectionLost", ContractRule.Reentrancy);
    }

    private void VerifyOpen(string callback)
    {
        Require(Transport is not null, $"{callback} came before ConnectionMade");
        Require(!_isOver, $"{callback} came after ConnectionLost", ContractRule.Reentrancy);
    }

    private void VerifyOutermost(string callback) => Require(_depth == 0, $"{callback} came inside another callback", ContractRule.Reentrancy);

    private void Require(bool law, string broken, ContractRule rule = ContractRule.Lifecycle)
    {
        if (!law) violate(rule, broken);
    }
}
