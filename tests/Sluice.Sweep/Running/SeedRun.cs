namespace Sluice.Sweep.Running;

/// <summary>One seed from its first event to the verdict.</summary>
internal static class SeedRun
{
    // Any number but 0, the variant of every other world.
    private const int OtherVariant = 1;

    public static Verdict Of(int seed, bool keepsTrace = false, SegmentSpares? spares = null, Tally? tally = null)
    {
        var world = Live(seed, keepsTrace, 0, spares, tally);
        var verdict = new Verdict(seed, world.Events, HashOf(world), world.FirstBroken, world.Breach, Text(world, keepsTrace));
        if (!world.Plan.IsIsolated || verdict.Broken is not null) return verdict;

        var other = Live(seed, keepsTrace, OtherVariant, spares, tally);
        var events = verdict.Events + other.Events;
        if (other.FirstBroken is not null) return new Verdict(seed, events, verdict.Hash, other.FirstBroken, other.Breach, Text(other, keepsTrace));
        var breach = Differences(world, other);
        return breach is null
            ? verdict with { Events = events, Hash = Trace.Mix(verdict.Hash, HashOf(other)) }
            : new Verdict(seed, events, verdict.Hash, Invariant.Isolation, breach, $"{world.Trace}\n--- and with another first connection:\n{other.Trace}");
    }

    private static World Live(int seed, bool keepsTrace, int variant, SegmentSpares? spares, Tally? tally)
    {
        var world = new World(seed, keepsTrace, variant, spares);
        world.Run();
        tally?.Add(world);
        foreach (var host in world.Simulation.Hosts) spares?.TakeBack(host.Loop.Core.Segments);
        return world;
    }

    /// <summary>What the protocols and what the kernels saw.</summary>
    private static ulong HashOf(World world) => Trace.Mix(world.Trace.Hash, world.Simulation.TraceHash);

    private static string? Text(World world, bool keepsTrace) => keepsTrace || world.FirstBroken is not null ? world.Trace.ToString() : null;

    private static string? Differences(World one, World other)
    {
        foreach (var end in one.Ends)
        {
            if (end.Connection == 0) continue;
            var twin = other.Ends.Find(twin => twin.Connection == end.Connection && twin.IsServer == end.IsServer);
            if (twin?.Hash != end.Hash) return $"connection {end.Connection} ({(end.IsServer ? "server" : "client")}) went otherwise when only connection 0 changed";
        }

        return null;
    }
}
