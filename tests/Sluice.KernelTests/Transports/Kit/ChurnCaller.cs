namespace Sluice.KernelTests.Transports.Kit;

/// <summary>The calling end of a short connection.</summary>
internal sealed class ChurnCaller : Protocol
{
    private readonly TaskCompletionSource _replied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception?> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Replied => _replied.Task;

    public Task<Exception?> Lost => _lost.Task;

    public int Received { get; private set; }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        Received += data.Length;
        _replied.TrySetResult();
    }

    public override void ConnectionLost(Exception? exception)
    {
        _replied.TrySetException(exception ?? new InvalidOperationException("The connection ended without a reply."));
        _ = _replied.Task.Exception;
        _lost.TrySetResult(exception);
    }
}
