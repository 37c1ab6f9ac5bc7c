using Sluice.Testing;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>Programs on hosts, and how far a simulation runs.</summary>
public sealed class RunningTests
{
    [Fact]
    public void A_program_that_fails_fails_the_run_with_the_name_of_its_host()
    {
        using var simulation = new Simulation(seed: 1);
        simulation.AddHost("good").Start(static _ => Task.CompletedTask);
        simulation.AddHost("bad").Start(static async loop =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1), loop.TimeProvider);
            throw new FormatException("wrong");
        });

        var failure = Assert.Throws<SimulatedHostException>(() => simulation.RunFor(TimeSpan.FromSeconds(2)));

        Assert.Equal("bad", failure.HostName);
        Assert.IsType<FormatException>(failure.InnerException);
        Assert.Equal(TimeSpan.FromSeconds(1), simulation.Time);
        simulation.RunFor(TimeSpan.FromSeconds(2));
    }

    [Fact]
    public void Running_for_a_time_moves_the_clock_so_far_and_no_further()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        var ticks = 0;
        host.Loop.CallLater(TimeSpan.FromHours(1), () => ticks++);
        host.Loop.CallLater(TimeSpan.FromHours(3), () => ticks++);

        simulation.RunFor(TimeSpan.FromHours(2));
        Assert.Equal((1, TimeSpan.FromHours(2)), (ticks, simulation.Time));
        simulation.RunFor(TimeSpan.FromHours(1));
        Assert.Equal((2, TimeSpan.FromHours(3)), (ticks, simulation.Time));
    }

    [Fact]
    public void Running_until_a_fact_holds_stops_with_the_pass_in_which_it_does()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        var count = 0;
        host.Start(async loop =>
        {
            while (count < 100)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), loop.TimeProvider);
                count++;
            }
        });

        simulation.RunUntil(() => count == 10);

        Assert.Equal(10, count);
        Assert.Equal(TimeSpan.FromSeconds(10), simulation.Time);
    }

    [Fact]
    public void A_stalled_run_names_who_waits_for_what()
    {
        using var world = new ClientAndServer();
        world.Client.Start(static async _ => await new TaskCompletionSource().Task);
        world.Connect();

        var stall = Assert.Throws<SimulationStalledException>(() => world.Simulation.RunUntil(() => world.Connected.Received.Length > 0));

        Assert.Contains("client waits for 10.0.0.1:32768 <-> 10.0.0.2:80 (reading) (1 of its programs is not done)", stall.Message, StringComparison.Ordinal);
        Assert.Contains("server waits for connections to 0.0.0.0:80; 10.0.0.2:80 <-> 10.0.0.1:32768 (reading)", stall.Message, StringComparison.Ordinal);
        Assert.Contains("ESTAB", stall.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_limit_of_virtual_time_ends_a_world_that_is_never_idle()
    {
        using var simulation = new Simulation(seed: 1);
        simulation.AddHost("busy").Start(static async loop =>
        {
            while (true) await Task.Delay(TimeSpan.FromSeconds(1), loop.TimeProvider);
        });

        Assert.Throws<SimulationStalledException>(() => simulation.RunUntil(static () => false, TimeSpan.FromMinutes(1)));

        Assert.Equal(TimeSpan.FromMinutes(1), simulation.Time);
    }

    [Fact]
    public void A_second_loop_of_a_host_shares_its_addresses_ports_and_files()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        var other = host.AddLoop();
        simulation.Run(host, loop => loop.CreateServerAsync(RecordingProtocol.Echo, "0.0.0.0", 80));

        simulation.Run(host, async _ => await other.InvokeAsync(async () =>
        {
            Assert.Same(other, EventLoop.Current);
            await Assert.ThrowsAsync<System.Net.Sockets.SocketException>(() => other.CreateServerAsync(RecordingProtocol.Echo, "0.0.0.0", 80));
            var (transport, protocol) = await other.CreateConnectionAsync(static () => new RecordingProtocol(), "localhost", 80);
            transport.Write("across"u8);
            await protocol.WaitForBytesAsync(6);
        }));
    }

    [Fact]
    public void What_is_written_between_runs_leaves_with_the_next_one()
    {
        using var world = new ClientAndServer();
        world.Connect();

        world.Connected.Transport.Write("hello"u8);
        world.Simulation.RunUntil(() => world.Accepted.Received.Length == 5);
    }
}
