using System.Net;
using Sluice.Testing;
using Sluice.Tests.House;

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
        var client = AddPingServerAndClient(simulation);

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

    private static SimulatedHost AddPingServerAndClient(Simulation simulation)
    {
        var server = simulation.AddHost("server");
        simulation.Run(server, loop => loop.CreateServerAsync(() => new PingServer(loop), new IPEndPoint(IPAddress.Any, 4000)));
        return simulation.AddHost("client");
    }

    [Fact]
    public void The_tutorial_shows_code_that_is_compiled()
    {
        var compiled = Unindented(string.Concat(Repository.Sources("tests/Sluice.Tests/Testing", "samples/SimulatedOutage").Select(Repository.Read)));
        var tutorial = Repository.Read("docs/testing.md").Split("\n## ")[1];
        var snippets = tutorial.Split("```csharp\n").Skip(1).Select(part => part.Split("```")[0]).ToList();

        Assert.NotEmpty(snippets);
        Rule.HasNo(snippets.Where(snippet => !compiled.Contains(Unindented(snippet), StringComparison.Ordinal)));
    }

    private static string Unindented(string code) => string.Concat(code.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0).Select(line => $"{line}\n"));
}
