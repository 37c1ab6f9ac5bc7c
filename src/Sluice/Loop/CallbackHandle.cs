namespace Sluice.Loop;

/// <summary>A user's callback in the ready queue. Made by CallSoon and CallSoonThreadSafe.</summary>
internal sealed class CallbackHandle(LoopCore loop, Action<object?> callback, object? state) : Handle, ILoopWork
{
    private OneShotCallback _callback = new(loop, callback, state);

    public override bool IsCancelled => _callback.IsCancelled;

    public override void Cancel() => _callback.TryCancel();

    public void Run(int code) => _callback.Run(this);

    public override string ToString() => _callback.Describe(nameof(Handle));
}
