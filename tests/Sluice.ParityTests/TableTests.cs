using System.Text.RegularExpressions;
using Sluice.ParityTests.Comparing;

namespace Sluice.ParityTests;

/// <summary>What is committed fits together: scenarios, recordings, and the table of allowed differences.</summary>
public sealed partial class TableTests
{
    private const int FewestScenarios = 300;

    [GeneratedRegex(@"^(?:choice|python/cpython#\d+)$")]
    private static partial Regex Kind { get; }

    [Fact]
    public void There_are_enough_scenarios() => Assert.InRange(ScenarioFiles.All.Count(), FewestScenarios, int.MaxValue);

    [Fact]
    public void Three_versions_of_CPython_are_recorded() =>
        Assert.Equal(["3.11", "3.12", "3.13"], Recording.Committed.Select(static recording => $"{recording.MinorVersion}"));

    [Fact]
    public void Every_recording_is_of_the_scenarios_as_they_are()
    {
        var files = ScenarioFiles.Paths.ToDictionary(static path => Path.GetFileName(path), ScenarioFiles.HashOf);

        Assert.All(Recording.Committed, recording => Assert.Equal(files.OrderBy(static file => file.Key), recording.Hashes.OrderBy(static file => file.Key)));
    }

    [Fact]
    public void Every_recording_has_every_scenario_that_its_version_can_play() => Assert.All(Recording.Committed, static recording =>
        Assert.Equal(ScenarioFiles.All.Where(scenario => scenario.Since <= recording.MinorVersion).Select(static scenario => scenario.Name).Order(), recording.Scenarios.Order()));

    [Fact]
    public void Every_difference_is_of_a_scenario_and_of_a_version()
    {
        var names = ScenarioFiles.All.Select(static scenario => scenario.Name).ToHashSet();

        Assert.All(Difference.ReadAll(), row => Assert.Contains(row.Scenario, names));
        Assert.All(Difference.ReadAll(), static row => Assert.Contains(Recording.Committed, recording => row.HoldsIn(recording.MinorVersion) && recording.Has(row.Scenario)));
    }

    [Fact]
    public void Every_difference_is_explained_in_the_page_about_asyncio() => Assert.All(Difference.ReadAll(), static row =>
    {
        Assert.Matches(Kind, row.Kind);
        var explanation = Assert.Contains(row.Reason, DifferentOnPurpose.Rows);
        if (row.Kind != "choice") Assert.Contains(row.Kind, explanation);
    });
}
