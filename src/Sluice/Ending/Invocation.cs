using Sluice.Loop;

namespace Sluice.Ending;

/// <summary>An async function on its way through the loop: called in a turn, its outcome passed on to who waits outside.</summary>
/// <remarks>
/// What the function has written is handed to the kernel before its caller hears that it is done: the outcome waits on the loop's flush list, behind the transports that the step has
/// written to. Otherwise a caller on another thread could end the process with the bytes still here.
/// </remarks>
internal abstract class Invocation(LoopCore core, LoopMembers members) : ILoopWork, ILoopMember, IStepFlush
{
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private Task? _done;

    IStepFlush? IStepFlush.NextToFlush { get; set; }

    public void Run(int code)
    {
        if (_context is not null) CallbackContext.Enter(_context);
        Task task;
        try
        {
            task = Call() ?? throw new InvalidOperationException("The function returned null instead of a task.");
        }
        catch (Exception exception)
        {
            task = Failed(exception);
        }

        if (task.IsCompleted)
        {
            Finish(task);
            return;
        }

        members.Add(this);
        _ = AwaitAsync(task);
    }

    public void Abandon() => Cancel();

    public void EndWithLoop() => Cancel();

    void IStepFlush.FlushStep() => PassOn();

    /// <summary>Calls the function.</summary>
    protected abstract Task? Call();

    /// <summary>A task of the function's type that has failed.</summary>
    protected abstract Task Failed(Exception exception);

    /// <summary>Gives the outcome to the caller. False where the loop's end came first.</summary>
    protected abstract bool TryPassOn(Task done);

    /// <summary>The loop ends: the caller waits no longer.</summary>
    protected abstract void Cancel();

    private async Task AwaitAsync(Task task)
    {
        await task.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        members.Remove(this);
        Finish(task);
    }

    private void Finish(Task task)
    {
        _done = task;
        // After the loop's end this may be another thread.
        if (core.IsOnThread) core.FlushAtEndOfStep(this);
        else PassOn();
    }

    private void PassOn()
    {
        if (TryPassOn(_done!) || !_done!.IsFaulted) return;

        // The loop's end has cancelled the task that somebody holds: nobody else will hear of this failure.
        core.Errors.Report(new ExceptionContext("Unhandled exception while the event loop ends")
        {
            Exception = _done.Exception.InnerException,
            Task = _done,
        });
    }
}

/// <summary>The call of a function without a result.</summary>
internal sealed class Invocation<TState>(LoopCore core, LoopMembers members, Func<TState, Task> function, TState state) : Invocation(core, members)
{
    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Task => _source.Task;

    protected override Task? Call() => function(state);

    protected override Task Failed(Exception exception) => System.Threading.Tasks.Task.FromException(exception);

    protected override bool TryPassOn(Task done) => _source.TrySetFromTask(done);

    protected override void Cancel() => _source.TrySetCanceled();
}

/// <summary>The call of a function with a result.</summary>
internal sealed class Invocation<TState, TResult>(LoopCore core, LoopMembers members, Func<TState, Task<TResult>> function, TState state) : Invocation(core, members)
{
    private readonly TaskCompletionSource<TResult> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TResult> Task => _source.Task;

    protected override Task? Call() => function(state);

    protected override Task Failed(Exception exception) => System.Threading.Tasks.Task.FromException<TResult>(exception);

    protected override bool TryPassOn(Task done) => _source.TrySetFromTask((Task<TResult>)done);

    protected override void Cancel() => _source.TrySetCanceled();
}
