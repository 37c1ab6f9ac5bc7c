using Sluice.ParityTests.Comparing;
using Sluice.ParityTests.Playing;

namespace Sluice.ParityTests;

/// <summary>With a Python at hand: what is committed can be made again, and what a version without a committed recording shows is what we show.</summary>
public sealed class RecordingTests
{
    [Fact]
    public async Task A_fresh_recording_shows_what_the_committed_one_shows_or_else_what_we_show()
    {
        var fresh = new Recording(await PythonScript.RunAsync("asyncio_driver.py", "-"));
        var committed = Recording.Committed.FirstOrDefault(recording => recording.FullVersion == fresh.FullVersion);

        var complaints = fresh.Scenarios.Select(name => committed is null ? AgainstOurs(name) : AgainstCommitted(name)).OfType<string>().ToList();

        Assert.True(complaints.Count == 0, string.Join(Environment.NewLine + Environment.NewLine, complaints));

        string? AgainstCommitted(string name)
        {
            var (now, then) = (fresh.Of(name), committed.Of(name));
            return now.SameAs(then) ? null : string.Join(Environment.NewLine, $"{name} on {fresh.Python}: the recording differs from the committed one.", "committed:", $"{then}", "fresh:", $"{now}");
        }

        string? AgainstOurs(string name) => Comparison.ComplainOfUnknown(ScenarioFiles.Get(name), EpollKernel.Play(ScenarioFiles.Get(name)), fresh);
    }

    [Fact]
    public async Task The_generated_scenarios_are_what_the_generator_writes() => Assert.Equal(
        await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "Scenarios", "generated.json")),
        await PythonScript.RunAsync("generate_scenarios.py", "-"));
}
