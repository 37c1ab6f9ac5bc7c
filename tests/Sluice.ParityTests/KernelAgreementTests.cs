using Sluice.ParityTests.Comparing;
using Sluice.ParityTests.Playing;
using Sluice.Testing;

namespace Sluice.ParityTests;

/// <summary>The simulated kernel is like the real one: what a scenario shows on one it shows on the other, without any allowance.</summary>
public sealed class KernelAgreementTests
{
    private const int FewestScenarios = 200;

    private static IEnumerable<Scenario> OnBoth => ScenarioFiles.All.Where(static scenario => scenario.Kernels != ScenarioKernels.Real);

    public static IEnumerable<TheoryDataRow<string>> Rows => OnBoth.Select(static scenario => new TheoryDataRow<string>(scenario.Name));

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_simulated_kernel_shows_what_epoll_shows(string scenario)
    {
        var played = ScenarioFiles.Get(scenario);

        var real = EpollKernel.Play(played);
        var simulated = SimulatedKernel.Play(played, seed: 0, SimulationOptions.Faithful);

        Assert.True(real.SameAs(simulated), string.Join(Environment.NewLine, [scenario, "epoll:", $"{real}", "simulated:", $"{simulated}"]));
    }

    [Fact]
    public void There_are_enough_scenarios_for_both() => Assert.InRange(OnBoth.Count(), FewestScenarios, int.MaxValue);
}
