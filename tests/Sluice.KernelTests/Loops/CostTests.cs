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
    public void An_accepted_connection_makes_at_most_600_bytes_of_garbage()
    {
        const int Connections = 50;
        const int MostPerConnection = 600;
        using var loop = new EventLoop();
        var protocols = new Stack<SilentProtocol>();
        var server = default(Server);
        loop.RunUntilComplete(async () => server = await loop.CreateServerAsync(() => protocols.Pop(), LoopKernel.Epoll.CreateAddress()));
        Accept();

        // The first round has grown what grows, and found the code compiled.
        Assert.InRange(Accept(), 1, MostPerConnection * Connections);

        long Accept()
        {
            for (var i = 0; i < Connections; i++) protocols.Push(new SilentProtocol());
            var peers = Enumerable.Range(0, Connections).Select(_ => Dial(server!.EndPoints[0])).ToList();
            long allocated;
            using (loop.Enter())
            {
                allocated = GC.GetAllocatedBytesForCurrentThread();
                while (protocols.Count > 0) loop.Core.RunPass(TimeSpan.FromSeconds(10));

                // They are made, and begin to read.
                for (var pass = 0; pass < 3; pass++) loop.Core.RunPass(TimeSpan.Zero);
                allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            }

            Assert.Equal(Connections, server!.ConnectionCount);
            foreach (var peer in peers) peer.Dispose();
            loop.RunUntilComplete(async () =>
            {
                while (server.ConnectionCount > 0) await Task.Yield();
            });
            return allocated;
        }
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

    private static Socket Dial(EndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(address);
        return socket;
    }

    private static int Count(string folder) => Directory.GetFileSystemEntries(folder).Length;

    private sealed class SilentProtocol : Protocol;

    [CollectionDefinition(Alone, DisableParallelization = true)]
    public sealed class Definition;
}
