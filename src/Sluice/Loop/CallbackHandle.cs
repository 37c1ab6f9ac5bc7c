namespace Sluice.Loop;

/// <summary>A user's callback in the ready queue. Made by CallSoon and its kin.</summary>
internal sealed class CallbackHandle : Handle, ILoopWork
{
    private readonly LoopCore _loop;
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly string? _trace;
    private Action<object?>? _callback;
    private object? _state;
    private bool _isCancelled;

    public CallbackHandle(LoopCore loop, Action<object?> callback, object? state)
    {
        _loop = loop;
        _callback = callback;
        _state = state;
        if (loop.Debug) _trace = Environment.StackTrace;
    }

    public override bool IsCancelled => _isCancelled;

    public override void Cancel()
    {
        _loop.VerifyThread();
        if (_callback is null) return;
        _isCancelled = true;
        _callback = null;
        _state = null;
    }

    public void Run(int code)
    {
        if (_callback is not { } callback) return;
        var state = _state;
        _callback = null;
        _state = null;
        CallbackInvoker.Invoke(_loop, callback, state, _context, this, _trace);
    }

    public override string ToString() => CallbackInvoker.Describe(nameof(Handle), _callback, _state, _isCancelled);
}
