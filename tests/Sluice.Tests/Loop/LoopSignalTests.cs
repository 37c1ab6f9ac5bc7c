using Sluice.Loop;

namespace Sluice.Tests.Loop;

/// <summary>What awaits a stream without a context goes on where the loop is, whatever the thread of the loop runs under.</summary>
public sealed class LoopSignalTests
{
    [Fact]
    public void A_wait_without_a_context_goes_on_on_the_loop_s_thread() => EventLoop.Run(GoesOnHereAsync);

    [Fact]
    public Task A_scheduler_that_the_thread_runs_under_changes_nothing() =>
        Task.Factory.StartNew(static () => EventLoop.Run(GoesOnHereAsync), CancellationToken.None, TaskCreationOptions.None, new SchedulerOfItsOwn());

    private static async Task GoesOnHereAsync(EventLoop loop)
    {
        var signal = new LoopSignal(loop.Core);
        var thread = WaitTwiceAsync(signal);
        signal.Set();
        Assert.Equal(Environment.CurrentManagedThreadId, await thread);
    }

    // As .NET's readers and writers do: one method without a context awaits another.
    private static async Task<int> WaitTwiceAsync(LoopSignal signal)
    {
        await WaitAsync(signal).ConfigureAwait(false);
        return Environment.CurrentManagedThreadId;
    }

    private static async Task WaitAsync(LoopSignal signal) => await signal.WaitAsync(default).ConfigureAwait(false);

    private sealed class SchedulerOfItsOwn : TaskScheduler
    {
        protected override void QueueTask(Task task) => TryExecuteTask(task);

        protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) => TryExecuteTask(task);

        protected override IEnumerable<Task> GetScheduledTasks() => [];
    }
}
