namespace Sluice.Ending;

/// <summary>
/// Who ends a loop: the thread that runs it if there is one, else the thread that disposes of it, and only one of them. Owned by the
/// loop; any thread.
/// </summary>
internal sealed class EndArbiter
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _isDriven;
    private bool _isEndTaken;
    private volatile bool _isEndAsked;

    public Task Ended => _ended.Task;

    public bool IsEndAsked => _isEndAsked;

    /// <summary>A thread is about to run the loop.</summary>
    /// <exception cref="InvalidOperationException">A thread runs it already.</exception>
    /// <exception cref="ObjectDisposedException">The loop ends or has ended.</exception>
    public void Begin()
    {
        lock (_gate)
        {
            if (_isEndTaken) throw new ObjectDisposedException(nameof(EventLoop), "The event loop is closed.");
            if (_isDriven) throw new InvalidOperationException("This event loop is already running.");
            _isDriven = true;
        }
    }

    /// <summary>The thread has run the loop.</summary>
    /// <returns>True where it has to end the loop now.</returns>
    public bool Finish()
    {
        lock (_gate)
        {
            _isDriven = false;
            return TakeEnd();
        }
    }

    /// <summary>Somebody disposes of the loop.</summary>
    /// <param name="isDriven">Another thread runs it, and will end it when it stops.</param>
    /// <returns>True where the caller has to end the loop now.</returns>
    public bool AskForEnd(out bool isDriven)
    {
        lock (_gate)
        {
            _isEndAsked = true;
            isDriven = _isDriven;
            return TakeEnd();
        }
    }

    public void SetEnded() => _ended.TrySetResult();

    private bool TakeEnd()
    {
        if (_isDriven || !_isEndAsked || _isEndTaken) return false;
        return _isEndTaken = true;
    }
}
