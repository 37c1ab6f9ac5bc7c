using Sluice.Testing;

namespace Sluice.Tests.Testing;

/// <summary>Programs of simulated hosts, as docs/testing.md shows them.</summary>
public sealed class SimulatedProcessTests
{
    [Fact]
    public void A_program_is_ordinary_code_that_a_host_can_start()
    {
        using var simulation = new Simulation(1);
        var host = simulation.AddHost("host");
        AddShout(host);

        simulation.Run(host, async _ =>
        {
            var result = await Subprocess.RunAsync("/usr/bin/shout", [], "quiet\nwords\n"u8.ToArray());
            Assert.Equal("QUIET\nWORDS\n", result.GetOutputText());
            Assert.Equal(0, result.ReturnCode);
        });
    }

    [Fact]
    public void The_same_seed_makes_the_same_run()
    {
        Assert.Equal(Run(7), Run(7));
        Assert.NotEqual(Run(7), Run(8));

        static ulong Run(int seed)
        {
            using var simulation = new Simulation(seed);
            var host = simulation.AddHost("host");
            AddShout(host);
            simulation.Run(host, async _ => Assert.Equal(200_000, (await Subprocess.RunAsync("shout", [], Lines(200_000))).StandardOutput!.Length));
            return simulation.TraceHash;
        }
    }

    [Fact]
    public void A_crash_takes_the_children_and_a_restart_can_start_them_again()
    {
        using var simulation = new Simulation(2);
        var host = simulation.AddHost("host");
        AddShout(host);
        host.Start(static async _ => await Subprocess.StartAsync("shout", [], new SubprocessOptions { StandardInput = SubprocessStream.Pipe }));
        simulation.RunFor(TimeSpan.FromSeconds(1));
        Assert.Single(host.Machine.Processes.Running);
        host.Crash();
        Assert.Empty(host.Machine.Processes.Running);
        host.Restart();
        simulation.RunFor(TimeSpan.FromSeconds(1));
        Assert.Single(host.Machine.Processes.Running);
    }

    [Fact]
    public void A_program_that_throws_fails_the_run_and_a_start_can_be_made_to_fail()
    {
        using var simulation = new Simulation(3);
        var host = simulation.AddHost("host");
        host.AddProgram("broken", static _ => throw new FormatException("no program"));
        var failure = Assert.Throws<SimulatedHostException>(() => simulation.Run(host, static _ => Subprocess.RunAsync("broken", [])));
        Assert.IsType<FormatException>(failure.InnerException);

        host.Faults.FailNextSpawn(11);
        simulation.Run(host, static async _ => Assert.Equal(11, (await Assert.ThrowsAsync<IOException>(static () => Subprocess.RunAsync("broken", []))).HResult));
    }

    private static void AddShout(SimulatedHost host) => host.AddProgram("shout", static async process =>
    {
        using var lines = new StreamReader(process.StandardInput);
        await using var output = new StreamWriter(process.StandardOutput) { NewLine = "\n" };
        while (await lines.ReadLineAsync() is { } line) await output.WriteLineAsync(line.ToUpperInvariant());
        return 0;
    });

    private static byte[] Lines(int size) => [.. Enumerable.Range(1, size).Select(static i => i % 50 == 0 ? (byte)'\n' : (byte)'a')];
}
