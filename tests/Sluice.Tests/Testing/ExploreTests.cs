using Sluice.Testing;

namespace Sluice.Tests.Testing;

/// <summary>One scenario under many seeds, and what remains of a failure.</summary>
public sealed class ExploreTests
{
    [Fact]
    public void A_scenario_that_passes_is_run_under_every_seed()
    {
        var seeds = new List<int>();

        Simulation.Explore(simulation => seeds.Add(simulation.Seed), seeds: 5, firstSeed: 10);

        Assert.Equal([10, 11, 12, 13, 14], seeds);
    }

    [Fact]
    public void The_first_failure_says_how_to_run_it_again()
    {
        var failure = Assert.Throws<SimulationFailedException>(() => Simulation.Explore(simulation =>
        {
            Exchange(simulation);
            if (simulation.Seed >= 3) throw new FormatException("wrong");
        }));

        Assert.Equal(3, failure.Seed);
        Assert.Contains("fails under seed 3: wrong", failure.Message, StringComparison.Ordinal);
        Assert.IsType<FormatException>(failure.InnerException);
        Assert.Contains("new Simulation(3, new SimulationOptions { LatencyJitter = TimeSpan.Zero, ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("LISTEN", failure.Sockets, StringComparison.Ordinal);
        Assert.Contains(failure.Sockets, failure.Message, StringComparison.Ordinal);
        Assert.Contains(failure.Trace[^1], failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_one_surprise_that_a_failure_needs_stays_on_and_all_others_go()
    {
        // The protocol takes it for granted that a message comes in one piece.
        var failure = Assert.Throws<SimulationFailedException>(() => Simulation.Explore(
            static simulation => Check.Equal(1, Exchange(simulation)), options: new SimulationOptions { PartialWrites = 0, RefusedWrites = 0 }));

        Assert.Equal(
            (SimulationOptions.Faithful with { ShortReads = new SimulationOptions().ShortReads }).ToString(),
            (failure.Options with { IgnoredRules = SimulationOptions.Faithful.IgnoredRules }).ToString());
        Assert.IsType<CheckFailedException>(failure.InnerException);
        using var again = new Simulation(failure.Seed, failure.Options);
        Assert.NotEqual(1, Exchange(again));
    }

    [Fact]
    public void A_failure_that_needs_no_surprise_is_left_with_none()
    {
        var failure = Assert.Throws<SimulationFailedException>(() => Simulation.Explore(
            static simulation => Check.Equal(2, Exchange(simulation)), options: SimulationOptions.Hostile));

        var options = failure.Options;
        Assert.Equal(
            (0, 0, 0, 0, 0, TimeSpan.Zero, null, false),
            (options.ShortReads, options.PartialWrites, options.SlowWrites, options.LateReads, options.PacketLoss, options.LatencyJitter, options.Bandwidth, options.ShufflesEvents));
    }

    [Fact]
    public void Rules_with_names_are_left_out_where_the_failure_does_not_need_them()
    {
        var failure = Assert.Throws<SimulationFailedException>(() => Simulation.Explore(static simulation =>
        {
            simulation.AddRule(static packet => packet.Kind == PacketKind.Data ? Verdict.Drop : Verdict.Pass, "lossy");
            simulation.AddRule(static _ => Verdict.DeliverAfter(TimeSpan.FromMilliseconds(1)), "slow");
            simulation.AddRule(static packet => packet.Kind == PacketKind.Fin ? Verdict.Drop : Verdict.Pass, "endless");
            Exchange(simulation);
        }));

        Assert.Equal(["slow", "endless"], failure.Options.IgnoredRules);
        Assert.Contains("IgnoredRules = [\"slow\", \"endless\"]", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_kind_of_failure_does_not_count_while_shrinking()
    {
        var failure = Assert.Throws<SimulationFailedException>(() => Simulation.Explore(static simulation =>
        {
            if (simulation.Network.Options.ShortReads == 0) throw new InvalidOperationException("another");
            throw new FormatException("wrong");
        }));

        Assert.IsType<FormatException>(failure.InnerException);
        Assert.True(failure.Options.ShortReads > 0);
        Assert.Equal(0, failure.Options.PartialWrites);
    }

    [Fact]
    public void Exploring_is_deterministic()
    {
        Assert.Equal(Message(), Message());

        static string Message() => Assert.Throws<SimulationFailedException>(() => Simulation.Explore(
            static simulation => Check.Equal(1, Exchange(simulation)), options: SimulationOptions.Internet)).Message;
    }

    [Fact]
    public void An_async_scenario_awaits_what_hosts_do()
    {
        var runs = 0;

        Simulation.Explore(
            async simulation =>
            {
                var client = simulation.AddHost("client");
                var server = simulation.AddHost("server");
                await server.Loop.InvokeAsync(() => server.Loop.CreateServerAsync(RecordingProtocol.Echo, "0.0.0.0", 80));
                var (transport, protocol) = await client.Loop.CreateConnectionAsync(static () => new RecordingProtocol(), "server", 80);
                transport.Write("hello"u8);
                await protocol.WaitForBytesAsync(5);
                await Task.Delay(TimeSpan.FromHours(1), client.Loop.TimeProvider);
                Check.That(simulation.Time > TimeSpan.FromHours(1));
                runs++;
            },
            seeds: 20);

        Assert.Equal(20, runs);
    }

    [Fact]
    public void An_async_scenario_that_waits_in_vain_fails_as_stalled()
    {
        var failure = Assert.Throws<SimulationFailedException>(() => Simulation.Explore(static async simulation =>
        {
            simulation.AddHost("idle");
            await new TaskCompletionSource().Task;
        }));

        Assert.IsType<SimulationStalledException>(failure.InnerException);
        Assert.Contains("the scenario is not done", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_failure_of_a_program_is_told_by_its_own_exception()
    {
        var failure = Assert.Throws<SimulationFailedException>(() => Simulation.Explore(static simulation =>
        {
            simulation.AddHost("bad").Start(static _ => throw new FormatException("wrong"));
            simulation.RunFor(TimeSpan.FromSeconds(1));
        }));

        Assert.IsType<FormatException>(Assert.IsType<SimulatedHostException>(failure.InnerException).InnerException);
        Assert.Contains("A program on the host bad failed: wrong", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Exploring_can_be_cancelled()
    {
        using var cancellation = new CancellationTokenSource();
        var runs = 0;

        Assert.Throws<OperationCanceledException>(() => Simulation.Explore(
            _ =>
            {
                if (++runs == 3) cancellation.Cancel();
            },
            cancellationToken: cancellation.Token));

        Assert.Equal(3, runs);
    }

    /// <summary>A client sends a message of 100 bytes.</summary>
    /// <returns>In how many pieces the server was given it.</returns>
    private static int Exchange(Simulation simulation)
    {
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var accepted = new RecordingProtocol();
        var pieces = 0;
        accepted.OnData = _ => pieces++;
        server.Start(loop => loop.CreateServerAsync(() => accepted, "0.0.0.0", 80));
        client.Start(async loop =>
        {
            var (transport, _) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "server", 80);
            transport.Write(new byte[100]);
        });
        simulation.RunUntil(() => accepted.Received.Length == 100, TimeSpan.FromSeconds(50));
        return pieces;
    }
}
