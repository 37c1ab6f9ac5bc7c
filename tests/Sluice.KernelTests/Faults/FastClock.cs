using Sluice.Primitives;

namespace Sluice.KernelTests.Faults;

/// <summary>A clock that runs a thousand times as fast as the real one: rests and lingering take milliseconds.</summary>
internal sealed class FastClock : IClock
{
    private const int Speed = 1000;

    private readonly long _start = Environment.TickCount64;

    public TimeSpan Now => TimeSpan.FromMilliseconds((Environment.TickCount64 - _start) * Speed);

    public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch + Now;
}
