using Sluice.ParityTests.Comparing;
using Sluice.ParityTests.Playing;
using Sluice.Testing;

namespace Sluice.ParityTests;

/// <summary>The same scenarios on asyncio, as it was recorded, and on Sluice: the same callbacks with the same bytes, except where a difference is listed.</summary>
public sealed class ParityTests
{
    private const int Epoll = -1;
    private const int Faithful = 0;
    private static readonly int[] Seeds = [1, 2, 3];

    public static IEnumerable<TheoryDataRow<string, int>> Rows =>
        from scenario in ScenarioFiles.All
        from kernel in KernelsOf(scenario)
        select new TheoryDataRow<string, int>(scenario.Name, kernel) { TestDisplayName = NameOf(scenario, kernel) };

    [Theory]
    [MemberData(nameof(Rows))]
    public void The_callbacks_are_those_of_asyncio(string scenario, int kernel)
    {
        var played = ScenarioFiles.Get(scenario);
        var ours = kernel switch
        {
            Epoll => EpollKernel.Play(played),
            Faithful => SimulatedKernel.Play(played, seed: 0, SimulationOptions.Faithful),
            _ => SimulatedKernel.Play(played, kernel, options: null),
        };

        var complaints = Recording.Committed.Where(recording => recording.Has(scenario)).Select(recording => Comparison.Complain(played, ours, recording)).OfType<string>();

        Assert.True(!complaints.Any(), string.Join(Environment.NewLine + Environment.NewLine, complaints));
    }

    private static int[] KernelsOf(Scenario scenario) => scenario.Kernels switch
    {
        ScenarioKernels.Real => [Epoll],
        ScenarioKernels.Faithful => [Epoll, Faithful],
        _ => [Epoll, Faithful, .. Seeds],
    };

    // The case ids stand in brackets behind one word, where eng/cases.sh finds them: rows of a theory lose their traits.
    private static string NameOf(Scenario scenario, int kernel) =>
        $"{string.Concat(scenario.Name.Select(static c => char.IsAsciiLetterOrDigit(c) ? c : '_'))} [{string.Join(' ', scenario.Cases)}] ({kernel switch { Epoll => "epoll", Faithful => "faithful", _ => $"seed {kernel}" }})";
}
