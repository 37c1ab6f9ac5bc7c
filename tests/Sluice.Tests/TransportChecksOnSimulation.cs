using System.Globalization;
using Sluice.Testing;

namespace Sluice.Tests;

/// <summary>
/// Every check of the conformance suite, on the simulated kernel: each address family, a handful of seeds. SLUICE_SEEDS=1000 in the
/// environment makes it a thousand.
/// </summary>
public sealed class TransportChecksOnSimulation
{
    /// <summary>Seed 0 runs the kernel without surprises: what fails there is no matter of chance.</summary>
    private static readonly int[] Seeds = [.. Enumerable.Range(0, int.Parse(Environment.GetEnvironmentVariable("SLUICE_SEEDS") ?? "8", CultureInfo.InvariantCulture))];

    public static IEnumerable<TheoryDataRow<string, bool, int>> Rows =>
        from check in CheckSelection.Wanted
        from isUnix in (bool[])[false, true]
        where check.FitsOn(SimulatedStage.OffersOf(isUnix))
        from seed in Seeds
        select Row(check, isUnix, seed);

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_transport_behaves_as_the_check_says(string check, bool isUnix, int seed) =>
        SimulatedStage.Run(TransportChecks.Get(check), seed, isUnix, seed == 0 ? SimulationOptions.Faithful : null);

    private static TheoryDataRow<string, bool, int> Row(TransportCheck check, bool isUnix, int seed) => new(check.Name, isUnix, seed)
    {
        TestDisplayName = CheckSelection.NameOf(check, $"simulated {(isUnix ? "Unix" : "TCP")}, seed {seed}"),
    };
}
