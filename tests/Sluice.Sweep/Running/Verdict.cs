namespace Sluice.Sweep.Running;

/// <summary>What became of one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Events">Callbacks and kernel events.</param>
/// <param name="Hash">Over all that happened: the same seed gives the same.</param>
/// <param name="Broken">The invariant that was broken first, or null.</param>
/// <param name="Breach">How, in words.</param>
/// <param name="Trace">The end of the trace of a broken world, or all of it where it was asked for.</param>
internal sealed record Verdict(int Seed, long Events, ulong Hash, Invariant? Broken, string? Breach, string? Trace)
{
    public override string ToString() => Broken is { } broken
        ? $"seed {Seed}: invariant {(int)broken} ({broken}) is broken: {Breach}\n{Trace}"
        : $"seed {Seed}: {Events} events, hash {Hash:x16}\n{Trace}";
}
