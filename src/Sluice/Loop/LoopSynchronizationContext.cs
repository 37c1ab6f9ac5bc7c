namespace Sluice.Loop;

/// <summary>
/// Keeps <c>await</c> on the loop: what is posted becomes a turn. One per loop; the context of the loop's thread. In debug mode it
/// reports waits that block that thread.
/// </summary>
internal sealed class LoopSynchronizationContext : SynchronizationContext
{
    private readonly LoopCore _loop;
    private bool _isReporting;

    public LoopSynchronizationContext(LoopCore loop)
    {
        _loop = loop;
        if (loop.Debug) SetWaitNotificationRequired();
    }

    /// <summary>
    /// Queues the callback; no ExecutionContext is captured, because await has done that. After the loop's end it goes to the thread
    /// pool: a Post that throws ends the process, one that drops skips the <c>finally</c> blocks of the method that awaits.
    /// </summary>
    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!_loop.TryPost(d, state)) PostToThreadPool(d, state);
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (!_loop.IsOnThread)
        {
            throw new InvalidOperationException("Send would block this thread until the loop has run the callback; use Post or EventLoop.InvokeAsync.");
        }

        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;

    public override int Wait(IntPtr[] waitHandles, bool waitAll, int millisecondsTimeout)
    {
        if (_loop.IsOnThread && millisecondsTimeout != 0 && !_isReporting) Report();
        return base.Wait(waitHandles, waitAll, millisecondsTimeout);
    }

    // A logger may wait as well, for its own lock.
    private void Report()
    {
        _isReporting = true;
        _loop.Errors.LogBlockingWait();
        _isReporting = false;
    }

#pragma warning disable RS0030 // The loop is gone: the thread pool is all that is left to run an awaiting method's rest.
    public static void PostToThreadPool(SendOrPostCallback callback, object? state) =>
        ThreadPool.QueueUserWorkItem(static item => item.callback(item.state), (callback, state), preferLocal: false);
#pragma warning restore RS0030
}
