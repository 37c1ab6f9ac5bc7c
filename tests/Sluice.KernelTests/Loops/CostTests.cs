using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>What loops cost the system: idle ones nothing, ended ones nothing.</summary>
[Collection(Alone)]
public sealed class CostTests
{
    private const string Alone = "descriptors and threads of the whole process";

    private static int StartsAndStops => int.TryParse(Environment.GetEnvironmentVariable("SLUICE_SOAK_LOOPS"), out var count) ? count : 1_000;

    [Fact]
    public async Task An_idle_loop_makes_no_wake_ups()
    {
        await using var loop = EventLoop.Start();
        loop.CallSoonThreadSafe(() => loop.CallLater(TimeSpan.FromHours(30), static () => { }));
        var server = await loop.CreateServerAsync(static () => new Testing.RecordingProtocol(), LoopKernel.Epoll.CreateAddress());
        await loop.CreateConnectionAsync(static () => new Testing.RecordingProtocol(), server.EndPoints[0]);
        await loop.InvokeAsync(static async () =>
        {
            for (var i = 0; i < 10; i++) await Task.Delay(TimeSpan.FromMilliseconds(1), EventLoop.Current.TimeProvider);
        });

        var (before, after) = (0L, 0L);
        using (var nobodySets = new ManualResetEventSlim())
        {
            before = await loop.InvokeAsync(() => Task.FromResult(loop.Core.Backend.Wakeups));
            nobodySets.Wait(TimeSpan.FromMilliseconds(300));
            after = loop.Core.Backend.Wakeups;
        }

        // The poll that began as the count was read may come back once more: with nothing, before it sleeps.
        Assert.InRange(after - before, 0, 2);
    }

    [Fact]
    public async Task An_accepted_connection_allocates_at_most_600_bytes_besides_its_protocol()
    {
        const int Connections = 200;
        await using var loop = EventLoop.Start(new EventLoopOptions { Backend = LoopBackend.Epoll });
        var lost = 0;
        var protocols = new Queue<Leaver>(Enumerable.Range(0, 2 * Connections).Select(_ => new Leaver(() => Interlocked.Increment(ref lost))));
        var server = await loop.CreateServerAsync(protocols.Dequeue, new IPEndPoint(IPAddress.Loopback, 0));
        var address = server.EndPoints[0];
        Serve();
        var before = await AllocatedAsync();
        Serve();
        var after = await AllocatedAsync();

        Assert.InRange((after - before) / Connections, 1, 600);

        void Serve()
        {
            for (var i = 0; i < Connections; i++)
            {
                var next = Volatile.Read(ref lost) + 1;
                using (var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)) peer.Connect(address);
                Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref lost) == next, TimeSpan.FromSeconds(30)));
            }
        }

        Task<long> AllocatedAsync() => loop.InvokeAsync(static () => Task.FromResult(GC.GetAllocatedBytesForCurrentThread()));
    }

    [Fact]
    public async Task Loops_that_come_and_go_leave_no_descriptor_and_no_thread()
    {
        await CycleAsync(20);
        var (descriptors, threads) = (Count("/proc/self/fd"), Count("/proc/self/task"));
        await CycleAsync(StartsAndStops);

        Assert.InRange(Count("/proc/self/fd"), 0, descriptors + 5);
        Assert.InRange(Count("/proc/self/task"), 0, threads + 20);
    }

    private static async Task CycleAsync(int count)
    {
        for (var i = 0; i < count; i++)
        {
            await using (var started = EventLoop.Start()) await started.InvokeAsync(static () => Task.CompletedTask);
            EventLoop.Run(static loop => loop.CreateServerAsync(static () => new Testing.RecordingProtocol(), LoopKernel.Epoll.CreateAddress()));
        }
    }

    private static int Count(string folder) => Directory.GetFileSystemEntries(folder).Length;

    private sealed class Leaver(Action whenLost) : Protocol
    {
        public override void ConnectionLost(Exception? exception) => whenLost();
    }

    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class Definition;
}
