using Sluice.Loop;

namespace Sluice.Ending;

/// <summary>An async function on its way through the loop: called in a turn, its outcome passed on to who waits outside.</summary>
internal sealed class Invocation<T>(LoopCore core, LoopMembers members, Func<Task<T>> function, ExecutionContext? context) : ILoopWork, ILoopMember
{
    private readonly TaskCompletionSource<T> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<T> Task => _source.Task;

    public void Run(int code)
    {
        members.Add(this);
        if (context is not null) ExecutionContext.Restore(context);
        _ = CallAsync();
    }

    public void Abandon() => _source.TrySetCanceled();

    public void EndWithLoop() => _source.TrySetCanceled();

    private async Task CallAsync()
    {
        Task<T> task;
        try
        {
            task = function() ?? throw new InvalidOperationException("The function returned null instead of a task.");
        }
        catch (Exception exception)
        {
            task = System.Threading.Tasks.Task.FromException<T>(exception);
        }

        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        members.Remove(this);
        if (_source.TrySetFromTask(task) || !task.IsFaulted) return;

        // The loop's end has cancelled the task that somebody holds: nobody else will hear of this failure.
        core.Errors.Report(new ExceptionContext("Unhandled exception while the event loop ends")
        {
            Exception = task.Exception.InnerException,
            Task = task,
        });
    }
}
