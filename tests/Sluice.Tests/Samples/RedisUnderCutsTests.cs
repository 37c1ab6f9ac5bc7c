using System.Globalization;
using System.Net;
using RedisClient;
using Sluice.Testing;

namespace Sluice.Tests.Samples;

/// <summary>The client of samples/RedisClient while its server crashes, its network is cut and its connections are reset, under many seeds.</summary>
public sealed class RedisUnderCutsTests
{
    private const int Seeds = 150;
    private const int Commands = 60;
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(500);

    [Fact]
    public void Every_command_ends_in_time_every_reply_is_its_own_and_the_client_comes_back() => Simulation.Explore(
        static simulation =>
        {
            var dice = new Random(simulation.Seed);
            var numbers = new Dictionary<string, long>();
            var server = RespServer.AddTo(simulation, numbers);
            var client = simulation.AddHost("client");
            var told = new List<long>();
            var (ended, unknown) = (0, 0);
            client.Start(loop => UseAsync(loop, new Random(simulation.Seed)));

            for (var cut = 0; cut < 4; cut++)
            {
                simulation.RunFor(TimeSpan.FromMilliseconds(dice.Next(1, 3_000)));
                switch (dice.Next(3))
                {
                    case 0:
                        server.Crash();
                        simulation.RunFor(TimeSpan.FromMilliseconds(dice.Next(1, 3_000)));
                        server.Restart();
                        break;
                    case 1:
                        using (simulation.Partition([client], [server], "cut")) simulation.RunFor(TimeSpan.FromMilliseconds(dice.Next(1, 3_000)));
                        break;
                    default:
                        client.Faults.ResetConnections();
                        break;
                }
            }

            simulation.RunFor(TimeSpan.FromMinutes(1));
            Assert.Equal(Commands + 1, ended);
            Assert.Equal(told.Order().Distinct(), told);
            Assert.InRange(numbers.GetValueOrDefault("n"), told.Count, told.Count + unknown);

            async Task UseAsync(EventLoop loop, Random dice)
            {
                await using var redis = new Redis(loop, new DnsEndPoint("redis", RespServer.Port), new RedisOptions { CommandTimeout = Timeout, Random = dice });
                var commands = new List<Task>();
                for (var i = 0; i < Commands; i++)
                {
                    commands.Add(i % 3 == 0 ? CountAsync() : EchoAsync(i));
                    if (dice.Next(3) == 0) await Task.Delay(TimeSpan.FromMilliseconds(dice.Next(1, 600)), loop.TimeProvider);
                }

                await Task.WhenAll(commands);
                await Task.Delay(TimeSpan.FromSeconds(30), loop.TimeProvider);
                // The first may still find that its connection has died in silence.
                await EchoAsync(0);
                Assert.Equal("still there", (await redis.SendAsync(["ECHO", "still there"])).ToString());

                Task CountAsync() => EndAsync(async () => told.Add(await redis.IncrementAsync("n")), counts: true);

                Task EchoAsync(int i) => EndAsync(
                    async () => Assert.Equal(Text(i), (await redis.SendAsync(["ECHO", Text(i)])).ToString()), counts: false);

                async Task EndAsync(Func<Task> command, bool counts)
                {
                    var began = loop.Time;
                    try
                    {
                        await command();
                    }
                    catch (Exception exception) when (exception is TimeoutException or RedisConnectionException)
                    {
                        if (counts) unknown++;
                    }

                    ended++;
                    Assert.InRange(loop.Time - began, TimeSpan.Zero, Timeout + Grace);
                }
            }
        },
        Seeds);

    private static string Text(int i) => i % 5 == 0 ? new string('x', i * 200) + i : i.ToString(CultureInfo.InvariantCulture);
}
