using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Tests.Testing;

/// <summary>Everything at once: losses, delays, resets, partitions, crashes. What arrives is still what was sent.</summary>
public sealed class RoughNetworkTests
{
    private const int Seeds = 400;
    private const int Size = 5_000;

    [Fact]
    public void What_arrives_is_always_the_beginning_of_what_was_sent()
    {
        var outcomes = new HashSet<string>();
        for (var seed = 0; seed < Seeds; seed++) Live(seed, outcomes);

        // The network was rough enough to show all of these, and not so rough that nothing came through.
        string[] expected = ["ConnectionLost(null)", "ConnectionLost(SocketException ConnectionReset)", "ConnectionLost(SocketException TimedOut)", "all", "some"];
        Assert.All(expected, outcome => Assert.Contains(outcome, outcomes));
    }

    private static void Live(int seed, HashSet<string> outcomes)
    {
        var dice = KernelDice.Fork(seed, -1);
        using var simulation = new Simulation(seed, new SimulationOptions
        {
            SendBufferSize = 1 + dice.Below(2_000),
            ReceiveBufferSize = 1 + dice.Below(2_000),
            Bandwidth = dice.Chance(0.5) ? 1_000 + dice.Below(100_000) : null,
            PacketLoss = dice.Chance(0.5) ? 0.2 : 0,
        });
        var client = simulation.AddHost("client");
        var server = simulation.AddHost("server");
        var ends = new List<RecordingProtocol>();
        server.Start(loop => loop.CreateServerAsync(() => Kept(RecordingProtocol.Echo()), "0.0.0.0", 80));
        client.Start(async loop =>
        {
            try
            {
                var (transport, protocol) = await loop.CreateConnectionAsync(() => Kept(new RecordingProtocol()), "server", 80);
                for (var i = 0; i < Size; i += 500) transport.Write(Pattern(i, 500));
                await Task.WhenAny(protocol.WaitForBytesAsync(Size), protocol.Lost);
                transport.Close();
            }
            catch (System.Net.Sockets.SocketException)
            {
                outcomes.Add("no connection");
            }
        });
        var verdicts = dice.Chance(0.5);
        using var rule = simulation.AddRule(_ => !verdicts || dice.Chance(0.9) ? Verdict.Pass
            : dice.Chance(0.6) ? Verdict.Drop
            : dice.Chance(0.8) ? Verdict.DeliverAfter(TimeSpan.FromMilliseconds(dice.Below(2_000)))
            : Verdict.Reset);
        for (var i = 0; i < 5; i++)
        {
            simulation.RunFor(TimeSpan.FromMilliseconds(dice.Below(300)));
            if (dice.Chance(0.1)) server.Restart();
            if (dice.Chance(0.05)) server.Crash();
            if (dice.Chance(0.05)) client.Restart();
            if (!dice.Chance(0.2)) continue;
            using (simulation.Partition([client], [server])) simulation.RunFor(TimeSpan.FromSeconds(dice.Below(100)));
        }

        simulation.RunFor(TimeSpan.FromMinutes(10));

        foreach (var end in ends)
        {
            Assert.Equal(Pattern(0, end.Received.Length), end.Received.ToArray());
            Assert.Empty(end.Violations);
            outcomes.Add(end.Received.Length == Size ? "all" : "some");
            outcomes.Add(end.Trace[^1]);
        }

        Assert.Empty(simulation.Violations);

        RecordingProtocol Kept(RecordingProtocol protocol)
        {
            ends.Add(protocol);
            return protocol;
        }
    }

    private static byte[] Pattern(int first, int count) => [.. Enumerable.Range(first, count).Select(static i => (byte)(i ^ (i >> 8)))];
}
