using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

/// <summary>The one clock of a simulation: it stands still while code runs and jumps when nothing is left to do. Owned by the network.</summary>
internal sealed class VirtualClock : IClock
{
    private static readonly DateTimeOffset Epoch = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private long _ticks;

    public TimeSpan Now => new(Volatile.Read(ref _ticks));

    public DateTimeOffset UtcNow => Epoch + Now;

    /// <summary>Jumps ahead; a time in the past leaves the clock alone.</summary>
    public void JumpTo(TimeSpan time) => Volatile.Write(ref _ticks, Math.Max(_ticks, time.Ticks));
}
