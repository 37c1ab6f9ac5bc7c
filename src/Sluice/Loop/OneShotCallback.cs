namespace Sluice.Loop;

/// <summary>
/// A user's callback that runs at most once, with the context and, in debug mode, the stack of the call that queued it. Drops what it
/// holds when it runs or is cancelled. A struct inside its handle.
/// </summary>
internal struct OneShotCallback(LoopCore loop, Action<object?> callback, object? state)
{
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly string? _trace = loop.Debug ? Environment.StackTrace : null;
    private Action<object?>? _callback = callback;
    private object? _state = state;

    public bool IsCancelled { get; private set; }

    /// <summary>Takes it back. False where there is nothing to take back any more.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public bool TryCancel()
    {
        loop.VerifyThread();
        if (_callback is null) return false;
        _callback = null;
        _state = null;
        return IsCancelled = true;
    }

    public void Run(Handle handle)
    {
        if (_callback is not { } run) return;
        var argument = _state;
        _callback = null;
        _state = null;
        CallbackInvoker.Invoke(loop, run, argument, _context, handle, _trace);
    }

    public readonly string Describe(string kind) => CallbackInvoker.Describe(kind, _callback, _state, IsCancelled);
}
