using System.Globalization;
using Sluice.Sweep.Running;

namespace Sluice.Sweep;

/// <summary>Random worlds in which every invariant holds after every event. <c>eng/sweep.sh</c> runs more of them.</summary>
public sealed class SweepTests
{
    private const int Seeds = 45_000;

    [Fact]
    public void No_seed_breaks_an_invariant()
    {
        var count = Environment.GetEnvironmentVariable("SLUICE_SWEEP_SEEDS") is { Length: > 0 } asked ? int.Parse(asked, CultureInfo.InvariantCulture) : Seeds;

        var run = SweepRun.Of(first: 1, count);

        TestContext.Current.TestOutputHelper?.WriteLine(run.ToString());
        Assert.True(run.Failures.Count == 0, string.Join(Environment.NewLine, run.Failures));
        Assert.Equal(count, run.Seeds);
        Assert.True(run.Events / run.Seeds >= 500, $"only {run.Events / run.Seeds} events per seed");
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        for (var seed = 1; seed <= 200; seed++)
        {
            var first = SeedRun.Of(seed);
            var second = SeedRun.Of(seed);

            Assert.Equal(first, second);
        }
    }

    [Theory]
    [InlineData(1149)] // A callback threw, and the handler of exceptions closed the connection: ConnectionLost came with null.
    public void A_pinned_seed_breaks_no_invariant(int seed)
    {
        var verdict = SeedRun.Of(seed);

        Assert.True(verdict.Broken is null, verdict.ToString());
    }
}
