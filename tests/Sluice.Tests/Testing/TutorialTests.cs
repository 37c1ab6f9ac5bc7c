using System.Net;
using Sluice.Testing;
using Sluice.Tests.House;
using Sluice.Tests.Testing.Kit;

namespace Sluice.Tests.Testing;

/// <summary>The code of the tutorial in docs/testing.md, as it stands there.</summary>
public sealed class TutorialTests
{
    [Fact]
    public void A_ping_is_answered()
    {
        using var simulation = new Simulation(seed: 1);
        var server = simulation.AddHost("server");
        var client = simulation.AddHost("client");

        simulation.Run(server, loop => loop.CreateServerAsync(() => new PingServer(loop), new IPEndPoint(IPAddress.Any, 4000)));
        simulation.Run(client, async loop =>
        {
            var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), "server", 4000);
            transport.Write("ping\n"u8);
            await protocol.WaitForBytesAsync(5);
            Assert.Equal("pong\n"u8, protocol.Received);
        });
    }

    [Fact]
    public void Who_is_silent_for_a_minute_is_hung_up_on()
    {
        using var simulation = new Simulation(seed: 1);
        var (_, client) = AddHosts(simulation, loop => new PingServer(loop));

        simulation.Run(client, async loop =>
        {
            var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), "server", 4000);
            await Task.Delay(TimeSpan.FromSeconds(45), loop.TimeProvider);
            transport.Write("ping\n"u8);
            await protocol.Lost;
            Assert.InRange(loop.Time, TimeSpan.FromSeconds(105), TimeSpan.FromSeconds(105.01));
            Assert.Equal(["ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)"], protocol.Record.Shape);
        });
    }

    [Fact]
    public void A_protocol_that_takes_what_arrives_for_a_line_is_found_out()
    {
        var failure = Assert.Throws<SimulationFailedException>(() =>
            Simulation.Explore(simulation => Ping(simulation, loop => new HastyPingServer()), seeds: 100));

        Assert.IsType<SimulationStalledException>(failure.InnerException); // the pong never came
        using var again = new Simulation(failure.Seed, failure.Options);
        Assert.Throws<SimulationStalledException>(() => Ping(again, loop => new HastyPingServer()));
        Assert.Equal(failure.Trace, again.Trace);
    }

    [Fact]
    public void A_protocol_that_cuts_lines_passes_under_every_seed() =>
        Simulation.Explore(simulation => Ping(simulation, loop => new PingServer(loop)), seeds: 1000);

    [Fact]
    public void A_ping_that_comes_just_in_time_is_answered()
    {
        using var simulation = new Simulation(seed: 1);
        var (server, _) = AddHosts(simulation, loop => new PingServer(loop));

        simulation.AddRule(packet => packet.To == server && packet.Kind == PacketKind.Data ? Verdict.DeliverAfter(TimeSpan.FromSeconds(59)) : Verdict.Pass);
        Ping(simulation);
        Assert.InRange(simulation.Time, TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(59.01));
    }

    [Fact]
    public void A_ping_comes_through_when_a_cut_heals()
    {
        using var simulation = new Simulation(seed: 1);
        var (server, client) = AddHosts(simulation, loop => new PingServer(loop));

        simulation.Run(client, async loop =>
        {
            var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), "server", 4000);
            using (simulation.Partition([server], [client]))
            {
                transport.Write("ping\n"u8);
                await Task.Delay(TimeSpan.FromSeconds(20), loop.TimeProvider);
                Assert.Equal(0, protocol.Received.Length);
            }

            await protocol.WaitForBytesAsync(5);
        });
    }

    [Fact]
    public void A_check_of_the_transports_passes_over_a_hostile_network()
    {
        var check = TransportChecks.Get("Thousands_of_writes_arrive_to_the_byte");
        SimulatedStage.Run(check, seed: 1, isUnix: false, SimulationOptions.Hostile);
    }

    [Fact]
    public void The_tutorial_shows_code_that_is_compiled()
    {
        var compiled = Unindented(string.Concat(Repository.Sources("tests/Sluice.Tests/Testing", "samples/SimulatedOutage").Select(Repository.Read)));
        var tutorial = Repository.Read("docs/testing.md").Split("\n## ").Single(static part => part.StartsWith("Tutorial", StringComparison.Ordinal));
        var snippets = tutorial.Split("```csharp\n").Skip(1).Select(static part => part.Split("```")[0]).ToList();

        Assert.NotEmpty(snippets);
        Rule.HasNo(snippets.Where(snippet => !compiled.Contains(Unindented(snippet), StringComparison.Ordinal)));
    }

    private static (SimulatedHost Server, SimulatedHost Client) AddHosts(Simulation simulation, Func<EventLoop, IProtocol<ITransport>> protocol)
    {
        var server = simulation.AddHost("server");
        simulation.Run(server, loop => loop.CreateServerAsync(() => protocol(loop), new IPEndPoint(IPAddress.Any, 4000)));
        return (server, simulation.AddHost("client"));
    }

    private static void Ping(Simulation simulation, Func<EventLoop, IProtocol<ITransport>> protocol)
    {
        AddHosts(simulation, protocol);
        Ping(simulation);
    }

    private static void Ping(Simulation simulation) => simulation.Run(simulation.Hosts[1], async loop =>
    {
        var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), "server", 4000);
        transport.Write("ping\n"u8);
        await protocol.WaitForBytesAsync(5);
        Assert.Empty(protocol.Violations);
    });

    private static string Unindented(string code) =>
        string.Concat(code.Split('\n').Select(static line => line.Trim()).Where(static line => line.Length > 0).Select(static line => $"{line}\n"));
}
