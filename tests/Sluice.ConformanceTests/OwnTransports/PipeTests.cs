using Sluice.Testing;

namespace Sluice.ConformanceTests.OwnTransports;

/// <summary>Somebody else's transport under the suite: on a simulation, where a check that waits for ever ends at once, and on a real loop.</summary>
public sealed class PipeTests
{
    public static TheoryData<string> Checks => [.. TransportChecks.For(PipeStage.Offered).Select(static check => check.Name)];

    [Theory]
    [MemberData(nameof(Checks))]
    public void It_behaves_as_the_check_says(string check) => Run(TransportChecks.Get(check));

    [Theory]
    [MemberData(nameof(Checks))]
    public void It_behaves_so_on_a_real_loop_too(string check) =>
        EventLoop.Run(loop => TransportChecks.Get(check).RunAsync(new PipeStage(loop)));

    [Fact]
    public void Most_of_the_behaviours_of_a_connection_are_checked() => Assert.True(Checks.Count >= 100, $"only {Checks.Count} checks fit");

    /// <summary>Each mistake of a transport is found, and the message says by which check.</summary>
    [Theory]
    [MemberData(nameof(Faults))]
    public void A_mistake_is_found(PipeFault fault)
    {
        var found = new List<string>();
        foreach (var check in TransportChecks.For(PipeStage.Offered))
        {
            try
            {
                Run(check, fault);
            }
            catch (CheckFailedException failure)
            {
                Assert.StartsWith(check.Name, failure.Message, StringComparison.Ordinal);
                found.Add(failure.Message);
            }
        }

        TestContext.Current.SendDiagnosticMessage($"{fault}: {found.Count}");
        Assert.NotEmpty(found);
    }

    public static IEnumerable<TheoryDataRow<PipeFault>> Faults =>
        from fault in Enum.GetValues<PipeFault>()
        where fault != PipeFault.None
        select new TheoryDataRow<PipeFault>(fault);

    private static void Run(TransportCheck check, PipeFault fault = PipeFault.None)
    {
        using var simulation = new Simulation(seed: 1);
        simulation.Run(simulation.AddHost("program"), loop => check.RunAsync(new PipeStage(loop, fault)));
    }
}
