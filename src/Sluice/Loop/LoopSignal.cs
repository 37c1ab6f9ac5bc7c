using System.Threading.Tasks.Sources;

namespace Sluice.Loop;

/// <summary>One wait of a stream's method for something on its loop. Made for the wait and owned by who waits; on the loop's thread, but for the cancellation.</summary>
/// <remarks>
/// What .NET builds on streams (StreamReader, CopyToAsync, pipelines) awaits them without a SynchronizationContext, and where the completing thread has one of its own, such an await goes to the
/// thread pool. Its next call on the stream would then come from there. So a wait completes in a turn in which the thread has no context: these methods go on in that turn, on
/// this thread. Methods that awaited with the loop's context are posted to it, as ever. A TaskScheduler that the loop's thread runs under, as a test framework may have one, has the same effect
/// as a context, and is hidden as well.
/// </remarks>
internal sealed class LoopSignal(LoopCore loop) : IValueTaskSource, ILoopWork
{
    private const int Happened = 0;
    private const int Cancelled = 1;

    private ManualResetValueTaskSourceCore<bool> _source;
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;
    private bool _isSet;
    private bool _isOver;

    /// <summary>Called once. Await it without a context.</summary>
    public ValueTask WaitAsync(CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _registration = cancellation.UnsafeRegister(static self => ((LoopSignal)self!).AskToCancel(), this);
        return new ValueTask(this, _source.Version);
    }

    /// <summary>It has happened: the wait ends in a turn of its own. Harmless again.</summary>
    public void Set()
    {
        if (_isSet) return;
        _isSet = true;
        loop.Enqueue(this, Happened);
    }

    public void Run(int code)
    {
        if (_isOver) return;
        _isOver = true;
        _registration.Unregister();
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        if (TaskScheduler.Current == TaskScheduler.Default) Complete(code);
        else new Task(() => Complete(code), TaskCreationOptions.HideScheduler).RunSynchronously(TaskScheduler.Default);
        SynchronizationContext.SetSynchronizationContext(context);
    }

    public void Abandon() => Run(Happened);

    void IValueTaskSource.GetResult(short token) => _source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _source.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _source.OnCompleted(continuation, state, token, flags);

    private void Complete(int code)
    {
        if (code == Cancelled) _source.SetException(new OperationCanceledException(_cancellation));
        else _source.SetResult(true);
    }

    private void AskToCancel() => loop.TryPost(this, Cancelled);
}
