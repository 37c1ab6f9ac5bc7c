using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>A clock that only the test moves.</summary>
internal sealed class ManualClock : IClock
{
    public TimeSpan Now { get; private set; } = TimeSpan.FromHours(1);

    public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch + Now;

    public void Advance(TimeSpan time) => Now += time;
}
