using Sluice.Primitives;

namespace Sluice.Loop;

/// <summary>A user's callback in the timer heap. Made by CallLater and CallAt.</summary>
internal sealed class LoopTimer(LoopCore loop, TimeSpan when, Action<object?> callback, object? state) : TimerHandle, IHeapTimer, ILoopWork
{
    private OneShotCallback _callback = new(loop, callback, state);

    public override TimeSpan When { get; } = when;

    public override bool IsCancelled => _callback.IsCancelled;

    long IHeapTimer.Due => When.Ticks;

    int IHeapTimer.HeapIndex { get; set; } = -1;

    /// <summary>A timer of its own for a callback.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public static LoopTimer StartAt(LoopCore loop, TimeSpan when, Action<object?> callback, object? state)
    {
        loop.VerifyUsable();
        var timer = new LoopTimer(loop, when, callback, state);
        loop.AddTimer(timer);
        return timer;
    }

    /// <inheritdoc cref="StartAt"/>
    public static LoopTimer Start(LoopCore loop, TimeSpan delay, Action<object?> callback, object? state) =>
        StartAt(loop, LoopTimes.After(loop.Time, delay), callback, state);

    public override void Cancel()
    {
        if (_callback.TryCancel()) loop.RemoveTimer(this);
    }

    public void Run(int code) => _callback.Run(this);

    public override string ToString() => $"{_callback.Describe(nameof(TimerHandle))} when={When}";
}
