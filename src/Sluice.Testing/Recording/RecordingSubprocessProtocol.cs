using System.Text;

namespace Sluice.Testing;

/// <summary>
/// A protocol over a child process that records what its transport does, watches over the contract, and lets a test act in every callback through a hook.
/// </summary>
/// <remarks>The record is made before the hook runs; what a hook throws goes to the transport, as a protocol's own exception would.</remarks>
public sealed class RecordingSubprocessProtocol : SubprocessProtocol
{
    private readonly CallbackLog _log = new();
    private readonly MemoryStream[] _received = [new(), new(), new()];
    private readonly TaskCompletionSource _exited = new();
    private readonly SubprocessContract _contract;

    /// <summary>With nothing recorded yet.</summary>
    public RecordingSubprocessProtocol() => _contract = new SubprocessContract((_, what) => _log.Violate(what));

    /// <summary>Runs in ConnectionMade.</summary>
    public Action<ISubprocessTransport>? OnMade { get; set; }

    /// <summary>Runs in PipeDataReceived.</summary>
    public PipeDataHook? OnData { get; set; }

    /// <summary>Runs in PipeConnectionLost.</summary>
    public Action<int, Exception?>? OnPipeLost { get; set; }

    /// <summary>Runs in ProcessExited.</summary>
    public Action? OnExited { get; set; }

    /// <summary>Runs in PauseWriting.</summary>
    public Action? OnPause { get; set; }

    /// <summary>Runs in ResumeWriting.</summary>
    public Action? OnResume { get; set; }

    /// <summary>Runs in ConnectionLost.</summary>
    public Action? OnLost { get; set; }

    /// <summary>
    /// The callbacks so far: "ConnectionMade", "PipeDataReceived(1, 5)", "PipeConnectionLost(1, null)", "ProcessExited(0)" with the return code, "PauseWriting", "ResumeWriting" and
    /// "ConnectionLost(null)".
    /// </summary>
    public IReadOnlyList<string> Trace => _log.Trace;

    /// <summary>Breaches of the contract, in words. Empty unless the transport has a defect.</summary>
    public IReadOnlyList<string> Violations => _log.Violations;

    /// <summary>The transport, once ConnectionMade was called.</summary>
    public ISubprocessTransport Transport => _contract.Transport ?? throw new InvalidOperationException("The child is not there yet.");

    /// <summary>True between PauseWriting and ResumeWriting.</summary>
    public bool IsWritingPaused => _contract.IsWritingPaused;

    /// <summary>Done once ProcessExited was called.</summary>
    public Task Exited => _exited.Task;

    /// <summary>Done once ConnectionLost was called.</summary>
    public Task Lost => _log.Lost;

    internal bool IsMade => _contract.Transport is not null;

    /// <summary>All bytes of one output so far.</summary>
    /// <param name="fd">1 or 2.</param>
    public ReadOnlySpan<byte> Received(int fd) => _received[fd].GetBuffer().AsSpan(0, (int)_received[fd].Length);

    /// <summary>The same as text.</summary>
    /// <param name="fd">1 or 2.</param>
    public string Text(int fd) => Encoding.UTF8.GetString(Received(fd));

    /// <summary>Done once an output has brought so many bytes in all. Fails where everything is lost before.</summary>
    /// <param name="fd">1 or 2.</param>
    /// <param name="count">How many bytes, counted from the start.</param>
    public Task WaitForBytesAsync(int fd, int count) => _log.WaitFor(() => _received[fd].Length >= count, LostTooSoon);

    /// <summary>Done once a pipe is lost. Fails where everything is lost before.</summary>
    /// <param name="fd">0, 1 or 2.</param>
    public Task WaitForPipeLostAsync(int fd) => _log.WaitFor(() => _log.Trace.Any(entry => entry.StartsWith($"PipeConnectionLost({fd}", StringComparison.Ordinal)), LostTooSoon);

    /// <inheritdoc/>
    public override void ConnectionMade(ISubprocessTransport transport)
    {
        _contract.ConnectionMade(transport);
        Record("ConnectionMade", () => OnMade?.Invoke(transport));
    }

    /// <inheritdoc/>
    public override void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
    {
        _contract.PipeDataReceived(fd, data.Length);
        _received[fd].Write(data);
        Record($"PipeDataReceived({fd}, {data.Length})", null);
        if (OnData is not { } hook) return;
        _contract.Enter();
        try
        {
            hook(fd, data);
        }
        finally
        {
            _contract.Leave();
        }
    }

    /// <inheritdoc/>
    public override void PipeConnectionLost(int fd, Exception? exception)
    {
        _contract.PipeConnectionLost(fd);
        Record($"PipeConnectionLost({fd}, {ProtocolRecord.Describe(exception)})", () => OnPipeLost?.Invoke(fd, exception));
    }

    /// <inheritdoc/>
    public override void ProcessExited()
    {
        _contract.ProcessExited();
        CallbackLog.Reach(() => _exited.TrySetResult());
        Record($"ProcessExited({_contract.Transport?.ReturnCode})", OnExited);
    }

    /// <inheritdoc/>
    public override void PauseWriting()
    {
        _contract.PauseWriting();
        Record("PauseWriting", OnPause);
    }

    /// <inheritdoc/>
    public override void ResumeWriting()
    {
        _contract.ResumeWriting();
        Record("ResumeWriting", OnResume);
    }

    /// <inheritdoc/>
    public override void ConnectionLost(Exception? exception)
    {
        _contract.ConnectionLost(exception);
        Record($"ConnectionLost({ProtocolRecord.Describe(exception)})", null);
        _log.SetLost(exception);
        OnLost?.Invoke();
    }

    /// <summary>The trace in one line.</summary>
    public override string ToString() => _log.ToString();

    private void Record(string entry, Action? hook)
    {
        _log.Note(entry);
        _log.ReachMilestones();

        if (hook is null) return;
        _contract.Enter();
        try
        {
            hook();
        }
        finally
        {
            _contract.Leave();
        }
    }

    private CheckFailedException LostTooSoon() => new($"all was lost before what was awaited (trace: {this})");
}
