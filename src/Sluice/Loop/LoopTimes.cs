namespace Sluice.Loop;

/// <summary>Arithmetic on loop time that cannot overflow: an infinite delay becomes the largest time.</summary>
internal static class LoopTimes
{
    public static TimeSpan After(TimeSpan now, TimeSpan delay) =>
        delay == Timeout.InfiniteTimeSpan || delay > TimeSpan.MaxValue - now ? TimeSpan.MaxValue
        : delay < TimeSpan.MinValue + now ? TimeSpan.MinValue
        : now + delay;
}
