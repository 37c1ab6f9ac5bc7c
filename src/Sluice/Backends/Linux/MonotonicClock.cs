using System.Diagnostics;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>The machine's clocks (CLOCK_MONOTONIC and the date). Stateless; shared by all loops.</summary>
internal sealed class MonotonicClock : IClock
{
    public static MonotonicClock Instance { get; } = new();

#pragma warning disable RS0030 // This is where IClock gets its time from.
    public TimeSpan Now => Stopwatch.GetElapsedTime(0);

    public DateTimeOffset UtcNow => DateTimeOffset.UtcNow;
#pragma warning restore RS0030
}
