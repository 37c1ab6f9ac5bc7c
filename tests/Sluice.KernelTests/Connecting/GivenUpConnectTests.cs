using System.Net;
using System.Net.Sockets;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Faults;
using Sluice.Testing;

namespace Sluice.KernelTests.Connecting;

/// <summary>Connects that are given up, counted to the descriptor.</summary>
public sealed class GivenUpConnectTests
{
    private const int Connects = 2_000;

    [Fact, Case("CONN-020", "BUG-044", "BUG-045")]
    public void Connects_to_an_address_leave_nothing_and_close_nothing_twice() => RunCounting(async (loop, count) =>
    {
        var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
        await GiveUpAsync(count, token => loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0], null, token));
        await CloseAsync(server);
    });

    [Fact, Case("CONN-020", "CONN-034", "BUG-044", "BUG-045")]
    public void Races_leave_nothing_and_close_nothing_twice() => RunCounting(async (loop, count) =>
    {
        var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)server.EndPoints[0]).Port;
        var options = new ConnectionOptions { HappyEyeballsDelay = TimeSpan.Zero, LocalEndPoint = new DnsEndPoint("here", 0) };
        await GiveUpAsync(count, token => loop.CreateConnectionAsync(static () => new RecordingProtocol(), "many", port, options, token));
        await CloseAsync(server);
    });

    [Fact, Case("CONN-021", "BUG-044", "BUG-045")]
    public void Adoptions_leave_nothing_and_close_nothing_twice() => RunCounting(async (loop, count) =>
    {
        for (var i = 0; i < count; i++)
        {
            var (near, far) = SocketPair.Create();
            using var peer = far;
            await GiveUpAsync(i, token => loop.CreateConnectionAsync(static () => new RecordingProtocol(), near, null, token), atLeast: i);

            // The number may be somebody else's by now, and the Socket must not close it again.
            using var canary = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            near.Dispose();
            canary.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            Assert.Equal(0, far.Receive(new byte[1]));
        }
    });

    [Fact, Case("CONN-034", "BUG-043")]
    public void The_losers_of_a_race_are_closed_before_the_protocol_is_made()
    {
        var system = new FaultySyscalls();
        using var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions { Resolver = new LoopbackNames() });
        loop.RunUntilComplete(async () =>
        {
            var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
            var port = ((IPEndPoint)server.EndPoints[0]).Port;
            using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using var filler = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            silent.Bind(new IPEndPoint(LoopbackNames.Silent, port));
            silent.Listen(0);
            filler.Connect(silent.LocalEndPoint!);
            var before = system.Closed.Count;

            var (transport, _) = await loop.CreateConnectionAsync(
                () =>
                {
                    Assert.Equal(before + 2, system.Closed.Count);
                    return new RecordingProtocol();
                },
                "slow",
                port,
                new ConnectionOptions { HappyEyeballsDelay = TimeSpan.FromMilliseconds(5), Interleave = 0 });

            transport.Close();
            await CloseAsync(server);
        });
        Assert.Empty(system.CloseErrors);
    }

    /// <summary>Gives up after no pass, one, two, …; every other time from another thread.</summary>
    private static async Task GiveUpAsync(
        int count, Func<CancellationToken, Task<(ITransport Transport, RecordingProtocol Protocol)>> connect, int atLeast = 0)
    {
        for (var i = atLeast; i < Math.Max(count, atLeast + 1); i++)
        {
            using var giveUp = new CancellationTokenSource();
            var connecting = connect(giveUp.Token);
            for (var passes = i % 9; passes > 0; passes--) await Task.Yield();
            var told = i % 2 == 0 ? giveUp.CancelAsync() : Task.CompletedTask;
            if (i % 2 != 0) giveUp.Cancel();
            try
            {
                var (transport, protocol) = await connecting;
                transport.Abort();
                await protocol.Lost;
            }
            catch (OperationCanceledException cancelled)
            {
                Assert.Equal(giveUp.Token, cancelled.CancellationToken);
            }

            await told;
        }
    }

    private static async Task CloseAsync(Server server)
    {
        server.Close();
        server.AbortClients();
        await server.WaitClosedAsync();
    }

    /// <summary>Every descriptor that was opened is closed in the end, and none of them twice: that would end the process.</summary>
    private static void RunCounting(Func<EventLoop, int, Task> run)
    {
        var system = new FailingSyscalls();
        using (var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions { Resolver = new LoopbackNames() }))
        {
            loop.RunUntilComplete(() => run(loop, Connects));
            Assert.Equal(system.OpenDescriptors().Length, Idle());
        }

        Assert.Empty(system.OpenDescriptors());
    }

    /// <summary>How many a loop without connections has open.</summary>
    private static int Idle()
    {
        var system = new FailingSyscalls();
        using var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions());
        return system.OpenDescriptors().Length;
    }

    /// <summary>The names of these tests.</summary>
    private sealed class LoopbackNames : NameResolver
    {
        public static IPAddress Silent { get; } = IPAddress.Parse("127.0.3.1");

        public override Task<IReadOnlyList<IPAddress>> ResolveAsync(string host, AddressFamily family, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<IPAddress>>(host switch
            {
                "many" => [IPAddress.Loopback, IPAddress.Parse("127.0.3.2"), IPAddress.Loopback, IPAddress.IPv6Loopback],
                "slow" => [Silent, Silent, IPAddress.Loopback],
                _ => [IPAddress.Parse("192.0.2.1"), IPAddress.Loopback, IPAddress.IPv6Loopback],
            });
    }
}
