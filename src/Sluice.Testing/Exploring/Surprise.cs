namespace Sluice.Testing.Exploring;

/// <summary>Something that a simulation leaves to chance and that can be switched off.</summary>
/// <param name="SwitchOff">The same options without it.</param>
internal sealed record Surprise(Func<SimulationOptions, SimulationOptions> SwitchOff)
{
    /// <summary>First all at once: mostly the failure needs none, and one run shows it.</summary>
    public static IReadOnlyList<Surprise> All { get; } =
    [
        new(static options => options.WithoutSurprises()),
        new(static options => options with { PacketLoss = 0 }),
        new(static options => options with { DatagramLoss = 0 }),
        new(static options => options with { DatagramDuplication = 0 }),
        new(static options => options with { DatagramReordering = 0 }),
        new(static options => options with { LateReads = 0 }),
        new(static options => options with { ShortReads = 0 }),
        new(static options => options with { PartialWrites = 0 }),
        new(static options => options with { RefusedWrites = 0 }),
        new(static options => options with { SlowWrites = 0 }),
        new(static options => options with { SpuriousWakeups = 0 }),
        new(static options => options with { LatencyJitter = TimeSpan.Zero }),
        new(static options => options with { ShufflesEvents = false }),
        new(static options => options with { Bandwidth = null }),
    ];

    public static Surprise OfRule(string name) => new(options => options with { IgnoredRules = [.. options.IgnoredRules, name] });
}
