using System.Net.Sockets;
using Sluice.Backends.Epoll;
using Sluice.Primitives;

namespace Sluice.KernelTests.Faults;

/// <summary>
/// Every call that the kernel may refuse is refused once, at every place where a program makes it, with every error that it may answer:
/// the program ends, with no exception but one of the world's, and no descriptor stays open.
/// </summary>
public sealed class FaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static IEnumerable<TheoryDataRow<string>> Scenarios => FaultScenarios.All.Keys.Select(static scenario => new TheoryDataRow<string>(scenario));

    [Theory, Case("BUG-037"), Case("BUG-043")]
    [MemberData(nameof(Scenarios))]
    public void A_call_that_fails_leaks_nothing_and_hangs_nobody(string scenario)
    {
        var clean = RunCleanly(scenario);
        foreach (var call in LegalErrors.Calls)
        {
            for (var number = 1; number <= clean.CallsOf(call); number++)
            {
                foreach (var errno in LegalErrors.Of(call)) Fail(scenario, call, number, new IoError(errno));
            }
        }
    }

    [Fact]
    public void Some_scenario_makes_each_call()
    {
        var runs = FaultScenarios.All.Keys.Select(RunCleanly).ToArray();
        Assert.All(LegalErrors.Calls, call => Assert.Contains(runs, run => run.CallsOf(call) > 0));
    }

    private static FailingSyscalls RunCleanly(string scenario)
    {
        var system = new FailingSyscalls();
        Assert.Null(Run(scenario, system));
        return system;
    }

    private static void Fail(string scenario, string call, int number, IoError failure)
    {
        var thrown = Run(scenario, new FailingSyscalls(call, number, failure));
        Assert.True(thrown is null or SocketException or OperationCanceledException or IOException or UnauthorizedAccessException or PlatformNotSupportedException, $"{scenario}: {call} number {number} fails with {failure}: {thrown}");
    }

    /// <summary>Runs a scenario on a loop of its own, and verifies that everything is closed again.</summary>
    /// <returns>What came out of it.</returns>
    private static Exception? Run(string scenario, FailingSyscalls system)
    {
        var folder = Directory.CreateTempSubdirectory("sluice-");
        try
        {
            return RunIn(folder.FullName, scenario, system);
        }
        finally
        {
            folder.Delete(recursive: true);
            Assert.Empty(system.OpenDescriptors());
        }
    }

    private static Exception? RunIn(string folder, string scenario, FailingSyscalls system)
    {
        try
        {
            using var loop = new EventLoop(new EpollBackend(system, new FastClock()), new EventLoopOptions());
            loop.ExceptionHandler = static (_, _) => { };
            loop.RunUntilComplete(() => FaultScenarios.All[scenario](loop, folder).WaitAsync(Patience));
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
