namespace Sluice.Primitives;

/// <summary>Where time comes from: the machine's clock, or a simulation's. Owned by the backend.</summary>
internal interface IClock
{
    /// <summary>Time since an arbitrary start; never goes back. Read anew at each call, from any thread.</summary>
    TimeSpan Now { get; }

    /// <summary>The date, for those who ask a TimeProvider for it.</summary>
    DateTimeOffset UtcNow { get; }
}
