using System.Net;
using System.Net.Sockets;
using Sluice.Testing;

namespace Sluice.Tests.Testing;

/// <summary>Many hosts, one clock, one seed.</summary>
public sealed class SimulationTests
{
    [Fact]
    public void The_same_seed_replays_the_same_run()
    {
        foreach (var seed in Enumerable.Range(0, 20)) Assert.Equal(TraceOf(seed), TraceOf(seed));
    }

    [Fact]
    public void Different_seeds_make_different_runs() =>
        Assert.True(Enumerable.Range(0, 20).Select(TraceOf).Distinct().Count() > 10);

    [Fact]
    public void Two_hosts_talk_by_name()
    {
        using var simulation = new Simulation(seed: 1);
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var received = Array.Empty<byte>();

        simulation.Run(server, loop => loop.CreateServerAsync(RecordingProtocol.Echo, IPAddress.Any.ToString(), 80));
        simulation.Run(client, async loop =>
        {
            var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "server", 80);
            transport.Write("hello"u8);
            await protocol.WaitForBytesAsync(5);
            received = protocol.Received.ToArray();
            Assert.Equal(new IPEndPoint(server.Address, 80), transport.GetExtraInfo(ExtraInfo.PeerName));
            transport.Close();
            await protocol.Lost;
        });

        Assert.Equal("hello"u8, received);
    }

    [Fact]
    public void A_connect_to_nobody_is_refused()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("alone");

        simulation.Run(host, async loop =>
        {
            var error = await Assert.ThrowsAsync<SocketException>(() => loop.CreateConnectionAsync(static () => new RecordingProtocol(), "alone", 80));
            Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        });
    }

    [Fact]
    public void The_clock_jumps_over_waits_and_stands_still_otherwise()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("sleeper");

        simulation.Run(host, async loop =>
        {
            for (var i = 0; i < 100; i++) await Task.Yield();
            Assert.Equal(TimeSpan.Zero, loop.Time);
            await Task.Delay(TimeSpan.FromDays(30), loop.TimeProvider);
        });

        Assert.Equal(TimeSpan.FromDays(30), simulation.Time);
    }

    [Fact]
    public void A_wait_that_cannot_end_is_reported_instead_of_hanging()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("waiter");

        var stall = Assert.Throws<SimulationStalledException>(() => simulation.Run(host, async loop =>
        {
            await loop.CreateServerAsync(static () => new RecordingProtocol(), IPAddress.Loopback.ToString(), 80);
            await new TaskCompletionSource().Task;
        }));

        Assert.Contains("waiter waits for connections to 127.0.0.1:80", stall.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_without_end_is_given_up_at_the_step_limit()
    {
        var simulation = new Simulation(seed: 1, new SimulationOptions { StepLimit = 1_000 });
        var host = simulation.AddHost("busy");

        Assert.Throws<SimulationStalledException>(() => simulation.Run(host, async _ =>
        {
            while (simulation.Time < TimeSpan.MaxValue) await Task.Yield();
        }));
    }

    [Fact]
    public void A_cable_fault_resets_both_ends()
    {
        using var simulation = new Simulation(seed: 1);
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var accepted = new RecordingProtocol();

        simulation.Run(server, loop => loop.CreateServerAsync(() => accepted, IPAddress.Any.ToString(), 80));
        simulation.Run(client, async loop =>
        {
            var (_, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "server", 80);
            await accepted.Made;
            client.Faults.ResetConnections();
            await protocol.Lost;
            await accepted.Lost;
            Assert.Equal("ConnectionLost(SocketException ConnectionReset)", protocol.Trace[^1]);
            Assert.Equal("ConnectionLost(SocketException ConnectionReset)", accepted.Trace[^1]);
        });
    }

    [Fact]
    public void A_stalled_link_holds_everything_back_until_it_is_released()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        var accepted = new RecordingProtocol();

        simulation.Run(host, async loop =>
        {
            await loop.CreateServerAsync(() => accepted, "localhost", 80);
            var (transport, _) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "localhost", 80);
            await accepted.Made;
            host.Faults.StallLinks();
            transport.Write("delayed"u8);
            await Task.Delay(TimeSpan.FromMinutes(1), loop.TimeProvider);
            Assert.Equal(["ConnectionMade"], accepted.Trace);

            host.Faults.ReleaseLinks();
            await accepted.WaitForBytesAsync(7);
        });
    }

    [Fact]
    public void A_stalled_link_is_released_though_its_end_has_gone_meanwhile()
    {
        using var simulation = new Simulation(seed: 1);
        var far = simulation.AddHost("far");
        var near = simulation.AddHost("near");
        var accepted = new RecordingProtocol();

        simulation.Run(near, async loop =>
        {
            await far.Loop.CreateServerAsync(() => accepted, "far", 80);
            var (transport, client) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), "far", 80);
            await accepted.Made;
            near.Faults.StallLinks();
            transport.Abort();
            await client.Lost;
            await Task.Delay(TimeSpan.FromSeconds(5), loop.TimeProvider);
            Assert.False(accepted.Lost.IsCompleted);

            near.Faults.ReleaseLinks();
            Assert.IsType<SocketException>(await accepted.Lost);
        });
    }

    [Fact]
    public void An_existing_pair_of_simulated_sockets_can_be_adopted()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        var (first, second) = host.CreateStreamPair();

        simulation.Run(host, async loop =>
        {
            var (transport, _) = await loop.AdoptAsync(static () => new RecordingProtocol(), first);
            var (_, protocol) = await loop.AdoptAsync(static () => new RecordingProtocol(), second);
            transport.Write("within"u8);
            await protocol.WaitForBytesAsync(6);
        });
    }

    /// <summary>Two hosts exchange a transfer in the manner of a seed; every callback with its time is the trace.</summary>
    private static string TraceOf(int seed)
    {
        using var simulation = new Simulation(seed);
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var trace = new List<string>();
        simulation.Run(server, loop => loop.CreateServerAsync(() => Traced("server", RecordingProtocol.Echo()), IPAddress.Any.ToString(), 80));
        simulation.Run(client, async loop =>
        {
            var (transport, protocol) = await loop.CreateConnectionAsync(() => Traced("client", new RecordingProtocol()), "server", 80);
            for (var i = 1; i <= 20; i++) transport.Write(new byte[i * 1_000]);
            await protocol.WaitForBytesAsync(210_000);
            transport.Close();
            await protocol.Lost;
        });
        return string.Join('\n', trace);

        RecordingProtocol Traced(string name, RecordingProtocol protocol)
        {
            var answer = protocol.OnData;
            protocol.OnData = data =>
            {
                trace.Add($"{simulation.Time.Ticks} {name} {data.Length}");
                answer?.Invoke(data);
            };
            return protocol;
        }
    }
}
