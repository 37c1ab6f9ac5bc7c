namespace Sluice.Loop;

/// <summary>A user's callback for a descriptor's readiness or a signal: unlike other handles it runs again and again.</summary>
internal sealed class WatchHandle(LoopCore loop, Action callback, Func<bool> remove) : Handle
{
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly string? _trace = loop.Debug ? Environment.StackTrace : null;
    private Action? _callback = callback;

    public override bool IsCancelled => _callback is null;

    public override void Cancel()
    {
        loop.VerifyThread();
        if (_callback is not null) remove();
    }

    /// <summary>Another callback takes its place, or none: it does not run any more.</summary>
    public void Replace() => _callback = null;

    public void Run()
    {
        if (_callback is { } run) CallbackInvoker.Invoke(loop, CallbackInvoker.RunAction, run, _context, this, _trace);
    }

    public override string ToString() => CallbackInvoker.Describe(nameof(Handle), CallbackInvoker.RunAction, _callback, IsCancelled);
}
