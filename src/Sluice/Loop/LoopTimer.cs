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

    public override void Cancel()
    {
        if (_callback.TryCancel()) loop.RemoveTimer(this);
    }

    public void Run(int code) => _callback.Run(this);

    public override string ToString() => $"{_callback.Describe(nameof(TimerHandle))} when={When}";
}
