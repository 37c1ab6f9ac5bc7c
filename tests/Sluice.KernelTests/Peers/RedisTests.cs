using System.Net;
using System.Net.Sockets;
using System.Text;
using RedisClient;
using Sluice.KernelTests.Samples;

namespace Sluice.KernelTests.Peers;

/// <summary>The client of samples/RedisClient and a real redis-server, on a Unix socket: no port that another could take.</summary>
public sealed class RedisTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public Task The_sample_does_what_it_says() => WithServerAsync(static async server =>
    {
        var result = await SampleProcess.RunAsync("RedisClient", server.Path);

        result.AssertSuccess();
        Assert.Equal(
            [
                "greeting = Hello",
                "visits   = 100",
                "refused:   ERR value is not an integer or out of range",
                "given up:  BLPOP",
                "in time:   the reply of BLPOP was dropped, not taken for this one",
            ],
            result.Output);
    });

    [Fact]
    public Task Callers_on_many_threads_get_their_own_replies() => WithServerAsync(static async server =>
    {
        await using var loop = EventLoop.Start();
        await using var redis = new Redis(loop, server.EndPoint);

        await Task.WhenAll(Enumerable.Range(0, 40).Select(caller => Task.Run(async () =>
        {
            for (var i = 0; i < 100; i++)
            {
                var value = Encoding.ASCII.GetBytes($"{caller} {i} {new string('.', i * 37)}");
                await redis.SetAsync($"key:{caller}", value);
                Assert.Equal(value, await redis.GetAsync($"key:{caller}"));
                await redis.IncrementAsync("all");
            }
        }))).WaitAsync(Patience);

        Assert.Equal("4000", Encoding.ASCII.GetString((await redis.GetAsync("all"))!));
        Assert.Null(await redis.GetAsync("nothing here"));
    });

    [Fact]
    public Task Replies_of_every_kind_and_size_are_understood() => WithServerAsync(static async server =>
    {
        await using var loop = EventLoop.Start();
        await using var redis = new Redis(loop, server.EndPoint);
        var large = new byte[3_000_000];
        new Random(1).NextBytes(large);
        await redis.SetAsync("large", large);

        Assert.Equal(large, await redis.GetAsync("large"));
        Assert.Equal("PONG", (await redis.SendAsync(["PING"])).ToString());
        Assert.Equal("[1, [two, (nothing)], 3]", (await redis.SendAsync(["EVAL", "return {1, {'two', false}, 3}", "0"])).ToString());
        Assert.StartsWith("WRONGTYPE", (await Assert.ThrowsAsync<RedisServerException>(() => redis.SendAsync(["LPUSH", "large", "x"]))).Message);
        Assert.Equal(1, await redis.DeleteAsync("large"));
    });

    [Fact]
    public Task A_server_that_goes_and_comes_back_is_found_again() => WithServerAsync(static async server =>
    {
        await using var loop = EventLoop.Start();
        await using var redis = new Redis(loop, server.EndPoint, new RedisOptions { CommandTimeout = Patience });
        await redis.SetAsync("before", [1]);

        await server.KillAsync();
        var waiting = redis.SendAsync(["ECHO", "waited for the next server"]);
        await server.StartAsync();

        // It was sent to the old server, if that had not yet been missed.
        try
        {
            Assert.Equal("waited for the next server", (await waiting).ToString());
        }
        catch (RedisConnectionException)
        {
        }

        Assert.Equal("here", (await redis.SendAsync(["ECHO", "here"])).ToString());
    });

    private static async Task WithServerAsync(Func<RedisServer, Task> test)
    {
        using var server = new RedisServer();
        await server.StartAsync();
        await test(server);
    }

    /// <summary>A redis-server that keeps nothing. Owned by a test.</summary>
    private sealed class RedisServer : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");
        private PeerProcess? _process;

        public string Path => System.IO.Path.Combine(_folder.FullName, "redis.sock");

        public EndPoint EndPoint => new UnixDomainSocketEndPoint(Path);

        public async Task StartAsync()
        {
            _process = PeerProcess.Start("redis-server", "--port", "0", "--unixsocket", Path, "--save", "", "--appendonly", "no", "--dir", _folder.FullName);
            while (!(await _process.ReadLineAsync()).Contains("ready to accept connections", StringComparison.OrdinalIgnoreCase))
            {
            }
        }

        public async Task KillAsync()
        {
            await _process!.KillAsync();
            _process.Dispose();
        }

        public void Dispose()
        {
            _process?.Dispose();
            _folder.Delete(recursive: true);
        }
    }
}
