namespace Sluice;

/// <summary>A callback that was queued for a time. (asyncio: <c>TimerHandle</c>.)</summary>
public abstract class TimerHandle : Handle
{
    private protected TimerHandle()
    {
    }

    /// <summary>The loop time at which it is due; still readable after it has run. Compare with the loop's <c>Time</c>.</summary>
    public abstract TimeSpan When { get; }
}
