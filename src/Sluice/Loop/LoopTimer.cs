using Sluice.Primitives;

namespace Sluice.Loop;

/// <summary>A user's callback in the timer heap. Made by CallLater and CallAt.</summary>
internal sealed class LoopTimer : TimerHandle, IHeapTimer, ILoopWork
{
    private readonly LoopCore _loop;
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly string? _trace;
    private Action<object?>? _callback;
    private object? _state;
    private bool _isCancelled;

    public LoopTimer(LoopCore loop, TimeSpan when, Action<object?> callback, object? state)
    {
        _loop = loop;
        When = when;
        _callback = callback;
        _state = state;
        if (loop.Debug) _trace = Environment.StackTrace;
    }

    public override TimeSpan When { get; }

    public override bool IsCancelled => _isCancelled;

    long IHeapTimer.Due => When.Ticks;

    int IHeapTimer.HeapIndex { get; set; } = -1;

    public override void Cancel()
    {
        _loop.VerifyThread();
        if (_callback is null) return;
        _isCancelled = true;
        _callback = null;
        _state = null;
        _loop.RemoveTimer(this);
    }

    public void Run(int code)
    {
        if (_callback is not { } callback) return;
        var state = _state;
        _callback = null;
        _state = null;
        CallbackInvoker.Invoke(_loop, callback, state, _context, this, _trace);
    }

    public override string ToString() => $"{CallbackInvoker.Describe(nameof(TimerHandle), _callback, _state, _isCancelled)} when={When}";
}
