using Sluice.Backends.Linux;
using Sluice.Primitives;

namespace Sluice.KernelTests;

/// <summary>The machine's clock, put forward by whoever does not want to wait.</summary>
internal sealed class AdvancedClock : IClock
{
    private readonly TimeSpan _start = MonotonicClock.Instance.Now;
    private TimeSpan _ahead;

    public TimeSpan Now => MonotonicClock.Instance.Now + _ahead;

    public DateTimeOffset UtcNow => MonotonicClock.Instance.UtcNow + _ahead;

    /// <summary>How much time has really passed.</summary>
    public TimeSpan Elapsed => MonotonicClock.Instance.Now - _start;

    public void Advance(TimeSpan time) => _ahead += time;
}
