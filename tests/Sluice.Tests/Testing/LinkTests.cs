using Sluice.Testing;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>The way between two hosts can be changed.</summary>
public sealed class LinkTests
{
    [Fact]
    public void A_transfer_takes_as_long_as_the_bandwidth_says()
    {
        using var world = new ClientAndServer(SimulationOptions.Faithful with { Latency = TimeSpan.FromTicks(1) });
        world.Simulation.Link(world.Client, world.Server).Bandwidth = 100_000;
        world.Connect();
        var begun = world.Simulation.Time;

        world.Connected.Transport.Write(new byte[1_000_000]);
        world.Simulation.RunUntil(() => world.Accepted.Received.Length == 1_000_000, TimeSpan.FromMinutes(1));

        Assert.Equal(10, (world.Simulation.Time - begun).TotalSeconds, 0.01);
    }

    [Fact]
    public void Connections_share_the_bandwidth_of_one_direction_and_the_other_is_free()
    {
        using var simulation = new Simulation(seed: 1, SimulationOptions.Faithful with { Bandwidth = 100_000, Latency = TimeSpan.FromTicks(1) });
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var done = new List<double>();
        server.Start(loop => loop.CreateServerAsync(RecordingProtocol.Echo, "0.0.0.0", 80));
        for (var i = 0; i < 2; i++)
        {
            client.Start(async loop =>
            {
                var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.Address.ToString(), 80);
                transport.Write(new byte[50_000]);
                await protocol.WaitForBytesAsync(50_000);
                done.Add(loop.Time.TotalSeconds);
            });
        }

        simulation.RunUntil(() => done.Count == 2, TimeSpan.FromMinutes(1));

        // There in half a second each, one behind the other; back at the same time as the other goes there.
        Assert.Equal([1.0, 1.5], done.Select(time => Math.Round(time, 2)));
    }

    [Fact]
    public void Latency_counts_for_what_is_sent_from_then_on_in_both_directions()
    {
        using var world = new ClientAndServer();
        world.Connect();
        var link = world.Simulation.Link(world.Server, world.Client);
        Assert.Same(link, world.Simulation.Link(world.Client, world.Server));
        link.Latency = TimeSpan.FromMilliseconds(70);
        var begun = world.Simulation.Time;

        world.Accepted.OnData = data => world.Accepted.Transport.Write(data);
        world.Connected.Transport.Write("ping"u8);
        world.Simulation.RunUntil(() => world.Connected.Received.Length == 4, TimeSpan.FromMinutes(1));

        Assert.Equal(TimeSpan.FromMilliseconds(140), world.Simulation.Time - begun);
    }

    [Fact]
    public void Jitter_spreads_and_never_reorders()
    {
        using var world = new ClientAndServer();
        world.Simulation.Link(world.Client, world.Server).Jitter = TimeSpan.FromMilliseconds(100);
        world.Connect();
        var arrivals = new List<TimeSpan>();
        world.Accepted.OnData = _ => arrivals.Add(world.Simulation.Time);

        for (byte i = 0; i < 50; i++)
        {
            world.Connected.Transport.Write([i]);
            world.Simulation.RunFor(TimeSpan.FromMilliseconds(20));
        }

        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(Enumerable.Range(0, 50).Select(i => (byte)i), world.Accepted.Received.ToArray());
        Assert.True(arrivals.Distinct().Count() > 20);
    }

    [Fact]
    public void Buffers_count_for_connections_that_are_made_from_then_on()
    {
        using var world = new ClientAndServer();
        var link = world.Simulation.Link(world.Client, world.Server);
        (link.SendBufferSize, link.ReceiveBufferSize) = (3_000, 1_000);
        world.Connect();
        link.SendBufferSize = 50_000;

        world.Accepted.Transport.PauseReading();
        world.Connected.Transport.Write(new byte[10_000]);
        world.Simulation.RunFor(TimeSpan.FromSeconds(1));

        Assert.Equal(6_000, world.Connected.Transport.WriteBufferSize);
    }

    [Fact]
    public void Impossible_values_are_refused()
    {
        using var world = new ClientAndServer();
        var link = world.Simulation.Link(world.Client, world.Server);

        Assert.Throws<ArgumentOutOfRangeException>(() => link.Latency = TimeSpan.FromTicks(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => link.Jitter = TimeSpan.FromTicks(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => link.Bandwidth = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => link.ReceiveBufferSize = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => link.PacketLoss = 1.5);
    }

    [Theory]
    [InlineData("lan")]
    [InlineData("internet")]
    [InlineData("hostile")]
    public void Every_byte_arrives_under_every_profile(string name)
    {
        var profile = name switch
        {
            "lan" => SimulationOptions.Lan,
            "internet" => SimulationOptions.Internet,
            _ => SimulationOptions.Hostile,
        };
        var sent = new byte[100_000];
        new Random(1).NextBytes(sent);
        for (var seed = 0; seed < 20; seed++)
        {
            using var world = new ClientAndServer(profile, seed);
            world.Connect();
            world.Connected.Transport.Write(sent);
            world.Simulation.RunUntil(() => world.Accepted.Received.Length == sent.Length, TimeSpan.FromHours(1));
            Assert.Equal(sent, world.Accepted.Received);
        }
    }
}
