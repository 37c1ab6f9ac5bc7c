using Sluice.Loop;

namespace Sluice.Subprocesses;

/// <summary>The protocol behind the high-level process: pipes become streams, and the end of the child releases who waits for it. Owned by its transport.</summary>
internal sealed class SubprocessStreams(LoopCore loop, int readLimit) : SubprocessProtocol
{
    private const int Outputs = 3;

    private readonly OutputStream?[] _outputs = new OutputStream?[Outputs];
    private readonly List<TaskCompletionSource<int>> _waiters = [];
    private readonly TaskCompletionSource _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ISubprocessTransport? _transport;
    private int _openOutputs;
    private bool _hasExited;

    public InputStream? Input { get; private set; }

    public OutputStream? Output => _outputs[1];

    public OutputStream? Error => _outputs[2];

    /// <summary>Done once nothing is left of the child.</summary>
    public Task Lost => _lost.Task;

    public override void ConnectionMade(ISubprocessTransport transport)
    {
        _transport = transport;
        if (transport.StandardInput is { } input) Input = new InputStream(loop, input);
        Open(1, transport.StandardOutput);
        Open(2, transport.StandardError);
    }

    public override void PipeDataReceived(int fd, ReadOnlySpan<byte> data) => _outputs[fd]?.OnData(data);

    public override void PipeConnectionLost(int fd, Exception? exception)
    {
        if (fd == 0)
        {
            Input?.OnLost(exception);
            CloseIfOver();
            return;
        }

        _outputs[fd]?.OnLost(exception);
        _openOutputs--;
        CloseIfOver();
    }

    public override void PauseWriting() => Input?.OnFlow(pause: true);

    public override void ResumeWriting() => Input?.OnFlow(pause: false);

    public override void ProcessExited()
    {
        _hasExited = true;
        foreach (var waiter in _waiters) waiter.TrySetResult(_transport!.ReturnCode!.Value);
        _waiters.Clear();
        CloseIfOver();
    }

    public override void ConnectionLost(Exception? exception) => _lost.TrySetResult();

    /// <summary>Waits for the end of the child, whoever still holds its pipes.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (_hasExited) return _transport!.ReturnCode!.Value;
        var waiter = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiters.Add(waiter);
        using var registration = cancellation.UnsafeRegister(static (waiter, token) => ((TaskCompletionSource<int>)waiter!).TrySetCanceled(token), waiter);
        try
        {
            return await waiter.Task;
        }
        finally
        {
            _waiters.Remove(waiter);
        }
    }

    private void Open(int fd, IReadTransport? pipe)
    {
        if (pipe is null) return;
        _outputs[fd] = new OutputStream(loop, pipe, readLimit);
        _openOutputs++;
    }

    /// <summary>The child has ended and said all that it had to say. Its input may have another reader, a child of its own: it ends when nobody reads any more.</summary>
    private void CloseIfOver()
    {
        if (_hasExited && _openOutputs == 0 && Input is null or { IsLost: true }) _transport!.Close();
    }
}
