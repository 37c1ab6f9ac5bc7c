namespace Sluice.KernelTests.Samples;

/// <summary>The hunt for a planted bug of samples/SimulatedOutage: no socket is real in it, the process is.</summary>
public sealed class SimulatedOutageTests
{
    [Fact]
    public async Task Ordinary_tests_miss_the_bug_and_a_seed_finds_it()
    {
        var result = await SampleProcess.RunAsync("SimulatedOutage");

        result.AssertSuccess();
        Assert.Equal(4, result.Output.TakeWhile(static line => !line.StartsWith("2.", StringComparison.Ordinal)).Count(static line => line.StartsWith("right:", StringComparison.Ordinal)));
        Assert.Contains(result.Output, static line => line.StartsWith("found: ", StringComparison.Ordinal) && line.Contains("The client was told x = ", StringComparison.Ordinal));
        Assert.Contains(result.Output, static line => line.StartsWith("right: the same trace", StringComparison.Ordinal));
        Assert.StartsWith("right: 2,000 seeds", result.Output[^1]);
    }

    [Fact]
    public async Task The_seed_that_it_prints_shows_the_bug_again_and_not_in_the_mended_store()
    {
        var hunt = await SampleProcess.RunAsync("SimulatedOutage");
        var found = hunt.Output.First(static line => line.StartsWith("found: seed ", StringComparison.Ordinal)).Split(' ');

        var replay = await SampleProcess.RunAsync("SimulatedOutage", "--seed", found[2].TrimEnd(':'));

        replay.AssertSuccess();
        Assert.Contains(replay.Output, static line => line.StartsWith("hasty: The client was told x = ", StringComparison.Ordinal));
        Assert.Contains("careful: nothing is lost", replay.Output);
    }

    [Theory]
    [InlineData("--seed")]
    [InlineData("--seed", "many")]
    [InlineData("--sede", "1")]
    public async Task A_wrong_argument_gets_the_usage(params string[] arguments)
    {
        var result = await SampleProcess.RunAsync("SimulatedOutage", arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("usage: SimulatedOutage", Assert.Single(result.Errors));
    }
}
