using System.Net;
using RedisClient;
using Sluice.Testing;

namespace Sluice.Tests.Samples;

/// <summary>The client of samples/RedisClient: what its callers get, whatever the server does.</summary>
public sealed class RedisClientTests
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    [Fact]
    public void A_hundred_commands_are_answered_in_their_order_and_cost_a_handful_of_packets() => Run(async (loop, redis, world) =>
    {
        await redis.IncrementAsync("n");
        var before = world.Packets;

        var counts = Enumerable.Range(0, 100).Select(_ => redis.IncrementAsync("n")).ToList();

        for (var i = 0; i < counts.Count; i++) Assert.Equal(2 + i, await counts[i]);
        Assert.InRange(world.Packets - before, 2, 12);
    });

    [Fact]
    public void An_error_of_the_server_belongs_to_its_command_alone() => Run(async (loop, redis, _) =>
    {
        var (first, bad, last) = (redis.IncrementAsync("n"), redis.SendAsync(["NONSENSE"]), redis.IncrementAsync("n"));

        Assert.Equal("ERR unknown command 'NONSENSE'", (await Assert.ThrowsAsync<RedisServerException>(() => bad)).Message);
        Assert.Equal((1, 2), (await first, await last));
    });

    [Fact]
    public void A_reply_of_another_kind_fails_its_command_alone() => Run(async (loop, redis, world) =>
    {
        await Assert.ThrowsAsync<RedisProtocolException>(() => redis.GetAsync("a number"));

        Assert.Equal(1, await redis.IncrementAsync("n"));
        Assert.Equal(1, world.Connections);
    });

    [Fact]
    public void A_command_that_nobody_answers_fails_at_its_deadline_and_a_silent_server_is_left() => Run(async (loop, redis, world) =>
    {
        var began = loop.Time;
        await Assert.ThrowsAsync<TimeoutException>(() => redis.SendAsync(["SILENCE"]));
        Assert.Equal(Timeout.TotalSeconds, (loop.Time - began).TotalSeconds, tolerance: 0.01);

        Assert.Equal("again", (await redis.SendAsync(["ECHO", "again"])).ToString());
        Assert.Equal(2, world.Connections);
    });

    [Fact]
    public void A_cancelled_command_gives_up_its_reply_and_takes_none_from_others() => Run(async (loop, redis, world) =>
    {
        using var given = new CancellationTokenSource();
        await redis.IncrementAsync("n");
        var cancelled = redis.SendAsync(["ECHO", "dropped"], given.Token);
        var next = redis.SendAsync(["ECHO", "mine"]);
        loop.CallSoon(given.Cancel);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.Equal("mine", (await next).ToString());
        Assert.Equal(1, world.Connections);
    });

    [Fact]
    public void A_connection_that_is_lost_fails_what_was_sent_and_the_next_command_finds_a_new_one() => Run(async (loop, redis, world) =>
    {
        var sent = redis.SendAsync(["HANG UP"]);

        await Assert.ThrowsAsync<RedisConnectionException>(() => sent);
        Assert.Equal(1, await redis.IncrementAsync("n"));
        Assert.Equal(2, world.Connections);
    });

    [Theory]
    [InlineData("TWICE")]
    [InlineData("BOAST", "70000000")]
    [InlineData("BOAST", "-7")]
    [InlineData("BOAST", "99999999999999999999")]
    public void A_server_that_breaks_the_rules_is_left_and_nobody_gets_another_s_reply(params string[] words) => Run(async (loop, redis, world) =>
    {
        var first = redis.SendAsync(words);
        await ((Task)first).ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);
        while (world.Connections < 2) await Task.Delay(TimeSpan.FromMilliseconds(10), loop.TimeProvider);

        Assert.Equal("mine", (await redis.SendAsync(["ECHO", "mine"])).ToString());
        Assert.True(first.IsFaulted || (await first).ToString() == "once");
    });

    [Fact]
    public void Too_many_that_wait_fail_at_once_and_the_others_are_answered() => Run(
        async (loop, redis, world) =>
        {
            var many = Enumerable.Range(0, 30).Select(_ => redis.IncrementAsync("n")).ToList();
            foreach (Task task in many) await task.ConfigureAwait(ConfigureAwaitOptions.ContinueOnCapturedContext | ConfigureAwaitOptions.SuppressThrowing);

            Assert.Equal(20, many.Count(static task => task.IsFaulted));
            Assert.Equal(10, many.Count(static task => task.IsCompletedSuccessfully));
        },
        new RedisOptions { MaxWaiting = 10 },
        connectFirst: false);

    [Fact]
    public void The_rests_between_attempts_double_up_to_a_bound_and_differ_from_client_to_client()
    {
        var (first, second) = (Attempts(1), Attempts(2));

        Assert.NotEqual(first, second);
        foreach (var attempts in (List<TimeSpan>[])[first, second])
        {
            var rests = attempts.Zip(attempts.Skip(1), static (a, b) => (b - a).TotalSeconds).ToList();
            Assert.InRange(rests[0], 0.025, 0.06);
            Assert.InRange(rests[4], 0.4, 0.81);
            Assert.All(rests.Skip(7), static rest => Assert.InRange(rest, 2.5, 5.01));
        }

        static List<TimeSpan> Attempts(int seed)
        {
            var simulation = new Simulation(1, SimulationOptions.Faithful);
            simulation.AddHost("redis");
            var client = simulation.AddHost("client");
            var attempts = new List<TimeSpan>();
            client.Connecting = _ => attempts.Add(simulation.Time);
            simulation.Run(client, async loop =>
            {
                await using var redis = new Redis(loop, new DnsEndPoint("redis", RespServer.Port), new RedisOptions { Random = new Random(seed) });
                await Task.Delay(TimeSpan.FromSeconds(60), loop.TimeProvider);
            });
            return attempts;
        }
    }

    [Fact]
    public void Disposing_of_it_fails_what_is_open_and_refuses_more() => Run(async (loop, redis, _) =>
    {
        var open = redis.SendAsync(["SILENCE"]);
        await Task.Delay(TimeSpan.FromMilliseconds(100), loop.TimeProvider);

        await redis.DisposeAsync();

        await Assert.ThrowsAsync<RedisConnectionException>(() => open);
        Func<Task> more = () => redis.IncrementAsync("n");
        await Assert.ThrowsAsync<ObjectDisposedException>(more);
    });

    private static void Run(Func<EventLoop, Redis, World, Task> test, RedisOptions? options = null, bool connectFirst = true)
    {
        var simulation = new Simulation(1, SimulationOptions.Faithful);
        RespServer.AddTo(simulation, []);
        var client = simulation.AddHost("client");
        var world = new World();
        client.Connecting = _ => world.Connections++;
        simulation.AddRule(packet =>
        {
            if (packet.Kind == PacketKind.Data) world.Packets++;
            return Verdict.Pass;
        });
        simulation.Run(client, async loop =>
        {
            await using var redis = new Redis(loop, new DnsEndPoint("redis", RespServer.Port), (options ?? new RedisOptions()) with { CommandTimeout = Timeout, Random = new Random(1) });
            if (connectFirst) await redis.SendAsync(["ECHO", "connected"]);
            await test(loop, redis, world);
        });
    }

    private sealed class World
    {
        public int Connections { get; set; }

        public int Packets { get; set; }
    }
}
