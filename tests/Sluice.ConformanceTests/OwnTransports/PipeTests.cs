using Sluice.Testing;

namespace Sluice.ConformanceTests.OwnTransports;

/// <summary>Somebody else's transport under the suite: on a simulation, where a check that waits for ever ends at once, and on a real loop.</summary>
public sealed class PipeTests
{
    public static TheoryData<string> Checks => [.. TransportChecks.For(PipeStage.Offered).Select(static check => check.Name)];

    public static TheoryData<PipeFault> Mistakes => [.. Enum.GetValues<PipeFault>().Where(static fault => fault != PipeFault.None)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void It_behaves_as_the_check_says(string check) => Run(TransportChecks.Get(check));

    [Theory]
    [MemberData(nameof(Checks))]
    public void It_behaves_so_on_a_real_loop_too(string check) =>
        EventLoop.Run(loop => TransportChecks.Get(check).RunAsync(new PipeStage(loop)));

    [Fact]
    public void Most_of_what_a_connection_does_is_checked() => Assert.True(Checks.Count >= 120, $"only {Checks.Count} checks fit");

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_fails_a_check_whose_name_the_message_bears(PipeFault mistake)
    {
        foreach (var check in TransportChecks.For(PipeStage.Offered))
        {
            try
            {
                Run(check, mistake);
            }
            catch (CheckFailedException failure)
            {
                Assert.StartsWith(check.Name, failure.Message, StringComparison.Ordinal);
                return;
            }
        }

        Assert.Fail($"No check has found {mistake}.");
    }

    private static void Run(TransportCheck check, PipeFault fault = PipeFault.None)
    {
        using var simulation = new Simulation(seed: 1);
        simulation.Run(simulation.AddHost("program"), loop => check.RunAsync(new PipeStage(loop, fault)));
    }
}
