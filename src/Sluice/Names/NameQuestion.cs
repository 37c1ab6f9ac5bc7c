using Sluice.Backends;
using Sluice.Ending;
using Sluice.Loop;

namespace Sluice.Names;

/// <summary>A user's question about names, as a task. Owned by the members of its loop; lives on the loop's thread after its start.</summary>
/// <param name="core">The loop.</param>
/// <param name="members">What lives on that loop.</param>
/// <param name="ask">Asks, once, on the loop's thread.</param>
/// <param name="cancellation">Gives up.</param>
internal sealed class NameQuestion<TAnswer>(
    LoopCore core, LoopMembers members, Func<ExecutionContext?, ILookupSink<TAnswer>, IoOperation> ask, CancellationToken cancellation)
    : ILoopWork, ILookupSink<TAnswer>, ILoopMember
{
    private const int Begin = 0;
    private const int Cancel = 1;

    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly TaskCompletionSource<TAnswer> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
    private IoOperation? _operation;

    /// <summary>Asks, here where this is the loop's thread, else there.</summary>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<TAnswer> Start()
    {
        if (core.IsOnThread) Run(Begin);
        else if (!core.TryPost(this, Begin)) throw new ObjectDisposedException(nameof(EventLoop), "The event loop is closed.");
        return _source.Task;
    }

    public void Run(int code)
    {
        if (_source.Task.IsCompleted) return;
        if (code == Cancel) GiveUp();
        else Ask();
    }

    public void Abandon() => _source.TrySetCanceled(cancellation);

    public void EndWithLoop() => GiveUp();

    public void OnFound(TAnswer answer)
    {
        Finish();
        _source.TrySetResult(answer);
        core.EndStep();
    }

    public void OnNotFound(Exception reason)
    {
        Finish();
        _source.TrySetException(reason);
        core.EndStep();
    }

    private void Ask()
    {
        if (cancellation.IsCancellationRequested)
        {
            _source.TrySetCanceled(cancellation);
            return;
        }

        members.Add(this);
        _registration = cancellation.UnsafeRegister(static self => ((NameQuestion<TAnswer>)self!).PostCancel(), this);
        _operation = ask(_context, this);
    }

    private void GiveUp()
    {
        _operation?.Cancel();
        Finish();
        _source.TrySetCanceled(cancellation);
    }

    private void Finish()
    {
        _registration.Dispose();
        members.Remove(this);
    }

    private void PostCancel() => core.TryPost(this, Cancel);
}
