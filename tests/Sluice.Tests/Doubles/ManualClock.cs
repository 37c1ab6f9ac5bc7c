using Sluice.Primitives;

namespace Sluice.Tests.Doubles;

/// <summary>A clock that only its test, or a wait of its <see cref="ScriptedBackend"/>, moves.</summary>
internal sealed class ManualClock : IClock
{
    public TimeSpan Now { get; set; } = TimeSpan.FromSeconds(100);

    public DateTimeOffset UtcNow => DateTimeOffset.UnixEpoch + Now;
}
