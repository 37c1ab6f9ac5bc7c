namespace Sluice.KernelTests.Samples;

/// <summary>The hunt for a planted bug of samples/SimulatedOutage: no socket is real in it, the process is.</summary>
public sealed class SimulatedOutageTests
{
    private static readonly Lazy<Task<SampleResult>> Hunt = new(static () => SampleProcess.RunAsync("SimulatedOutage"));

    [Fact]
    public async Task Ordinary_tests_miss_the_bug_and_a_seed_finds_it()
    {
        var result = await Hunt.Value;

        result.AssertSuccess();
        Assert.Equal(4, result.Output.TakeWhile(static line => !IsPart(line, 2)).Count(static line => line.StartsWith("right:", StringComparison.Ordinal)));
        Assert.Contains(result.Output, static line => SeedIn(line) is not null);
        Assert.Contains(result.Output, static line => line.StartsWith("Shrunken: The client was told x = ", StringComparison.Ordinal));
        Assert.Contains(result.Output, static line => line.StartsWith("To run it again: new Simulation(", StringComparison.Ordinal));
        Assert.Contains(result.Output, static line => line.StartsWith("right:  the same loss, and the same trace each time: hash ", StringComparison.Ordinal));
        Assert.Equal("right:  2,000 seeds, and none loses a write", result.Output[^1]);
        Assert.DoesNotContain(result.Output, static line => line.StartsWith("WRONG:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Another_process_sees_exactly_the_same()
    {
        var second = await SampleProcess.RunAsync("SimulatedOutage");

        Assert.Equal((await Hunt.Value).Output, second.Output);
    }

    [Fact]
    public async Task The_seed_that_it_prints_loses_a_write_again_and_not_in_the_careful_store()
    {
        var seed = (await Hunt.Value).Output.Select(SeedIn).First(static seed => seed is not null)!;

        var replay = await SampleProcess.RunAsync("SimulatedOutage", "--seed", seed);

        replay.AssertSuccess();
        Assert.StartsWith("hasty: The client was told x = ", replay.Output[0]);
        Assert.Equal("careful: nothing is lost", replay.Output[1]);
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

    private static bool IsPart(string line, int number) => line.StartsWith($"{number}. ", StringComparison.Ordinal);

    private static string? SeedIn(string line)
    {
        const string Beginning = "right:  seed ";
        return line.StartsWith(Beginning, StringComparison.Ordinal) ? line[Beginning.Length..].Split(' ')[0] : null;
    }
}
