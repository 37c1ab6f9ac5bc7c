namespace Sluice.Testing.Kernel;

/// <summary>
/// A stream of random numbers from a seed (SplitMix64). Owned by what it decides for: a connection with dice of its own gets the same numbers whatever other
/// connections do.
/// </summary>
internal sealed class KernelDice(ulong seed)
{
    private const ulong Step = 0x9E3779B97F4A7C15;

    private ulong _state = seed;

    public ulong Next() => Mix(_state += Step);

    public bool Chance(double probability) => probability > 0 && (Next() >> 11) * (1.0 / (1UL << 53)) < probability;

    /// <summary>From 0 to <paramref name="end"/> - 1.</summary>
    public int Below(int end) => (int)(((Next() >> 32) * (ulong)end) >> 32);

    /// <summary>From 1 to <paramref name="most"/>, small numbers as likely as large ones.</summary>
    public int SomeOf(int most) => 1 + Below((Next() & 1) == 0 ? Math.Min(most, 8) : most);

    /// <summary>From nothing to the whole.</summary>
    public TimeSpan Part(TimeSpan whole) =>
        whole <= TimeSpan.Zero ? TimeSpan.Zero : new TimeSpan((long)Math.BigMul(Next(), (ulong)whole.Ticks + 1, out _));

    /// <summary>Dice that are independent of these and of other forks.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="number">Tells the forks of one seed apart.</param>
    public static KernelDice Fork(int seed, int number) => new(Mix(Mix((ulong)(uint)seed + 1) ^ ((ulong)(uint)number * Step)));

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }
}
