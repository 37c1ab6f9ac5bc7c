using Sluice.Testing;
using Sluice.Testing.Kits;

namespace Sluice.Tests;

/// <summary>Every check of the conformance suite that fits a TLS transport, on the simulated kernel. Events repeat under a seed; keys, and so bytes on the way, do not.</summary>
public sealed class TransportChecksOverTls
{
    /// <summary>Seed 0 runs the kernel without surprises.</summary>
    private static readonly int[] Seeds = [0, 1, 2, 3];

    public static IEnumerable<TheoryDataRow<string, bool, int>> Rows =>
        from check in CheckSelection.Wanted
        from isUnix in (bool[])[false, true]
        where check.FitsOn(SimulatedStage.OffersWithTls)
        from seed in Seeds
        select new TheoryDataRow<string, bool, int>(check.Name, isUnix, seed)
        {
            TestDisplayName = CheckSelection.NameOf(check, $"TLS, simulated {(isUnix ? "Unix" : "TCP")}, seed {seed}"),
        };

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_transport_behaves_as_the_check_says(string check, bool isUnix, int seed) =>
        SimulatedStage.Run(TransportChecks.Get(check), seed, isUnix, seed == 0 ? SimulationOptions.Faithful : null, TestTls.Default);
}
