using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Datagrams.Kit;

namespace Sluice.KernelTests.Datagrams;

/// <summary>What a datagram costs, and that nothing of it stays. Runs alone: it counts what the thread allocates and what the process has open.</summary>
[Collection(nameof(CostTests))]
public sealed class DatagramCostTests
{
    [Theory]
    [InlineData("IPv4", 64)]
    [InlineData("IPv4", 20_000)]
    [InlineData("IPv6", 1_000)]
    [InlineData("Unix", 64)]
    public void An_echoed_datagram_takes_no_memory(string family, int size) => DatagramRun.OnLoop(async run =>
    {
        const int Few = 300;
        var payload = new byte[size];
        var echo = new Counter();
        var asker = new Counter { Goal = Few };
        EndPoint local = family == "Unix" ? run.Named("echo") : DatagramRun.Any(family == "IPv4" ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6);
        await run.Loop.CreateDatagramEndpointAsync(() => echo, local);
        var name = echo.Transport.GetExtraInfo(ExtraInfo.SocketName)!;
        var (transport, _) = await run.Loop.CreateDatagramEndpointAsync(() => asker, family == "Unix" ? run.Named("asker") : null, name);
        asker.Again = payload;
        long least = long.MaxValue;
        for (var round = 0; round < 5; round++)
        {
            asker.Reached = new TaskCompletionSource();
            asker.Received = 0;
            var before = GC.GetAllocatedBytesForCurrentThread();
            transport.SendTo(payload);
            await asker.Reached.Task;
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.InRange(least, 0, 2 * Few);
    });

    [Fact]
    public void Sixty_four_datagrams_leave_in_one_call_and_arrive_in_a_few()
    {
        var system = new FaultySyscalls();
        DatagramRun.OnLoop(async run =>
        {
            var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
            var sender = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
            var (sends, receives) = (system.Sends, system.Receives);
            for (var i = 0; i < 64; i++) sender.Transport.SendTo([(byte)i], DatagramRun.NameOf(hearer));
            await hearer.WaitForAsync(64);
            Assert.Equal(1, system.Sends - sends);
            Assert.InRange(system.Receives - receives, 1, 64 / 4 + 1);
            Assert.Equal(Enumerable.Range(0, 64), hearer.Datagrams.Select(static datagram => (int)datagram[0]));
        }, system);
    }

    [Fact, Case("UDP-033")]
    public void Endpoints_that_come_and_go_or_fail_leave_no_descriptor() => DatagramRun.OnLoop(static async run =>
    {
        var taken = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork));
        await ChurnAsync(3);
        var before = Directory.GetFiles("/proc/self/fd").Length;
        await ChurnAsync(100);
        Assert.Equal(before, Directory.GetFiles("/proc/self/fd").Length);

        async Task ChurnAsync(int rounds)
        {
            for (var i = 0; i < rounds; i++)
            {
                var hearer = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetworkV6));
                var named = await run.OpenAsync(run.Named("named"));
                hearer.Transport.Close();
                named.Transport.Abort();
                await hearer.Lost;
                await named.Lost;
                await Assert.ThrowsAsync<SocketException>(() => run.OpenAsync(DatagramRun.NameOf(taken)));
                await Assert.ThrowsAsync<FormatException>(() => run.Loop.CreateDatagramEndpointAsync<Hearer>(static () => throw new FormatException(), DatagramRun.Any(AddressFamily.InterNetwork)));
                await Assert.ThrowsAsync<InvalidOperationException>(() => run.Loop.CreateDatagramEndpointAsync<Hearer>(static () => null!, DatagramRun.Any(AddressFamily.InterNetwork)));
                using var cancel = new CancellationTokenSource();
                var opening = run.Loop.CreateDatagramEndpointAsync(() => CancelledBy(cancel), DatagramRun.Any(AddressFamily.InterNetwork), cancellationToken: cancel.Token);
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
            }

            static Hearer CancelledBy(CancellationTokenSource cancel)
            {
                cancel.Cancel();
                return new Hearer();
            }

            // What was closed last leaves in the next pass.
            for (var i = 0; i < 3; i++) await Task.Yield();
        }
    });

    /// <summary>Answers with what it got, until it has enough, and allocates nothing itself.</summary>
    private sealed class Counter : DatagramProtocol
    {
        public IDatagramTransport Transport { get; private set; } = null!;

        public int Goal { get; init; } = int.MaxValue;

        public byte[]? Again { get; set; }

        public int Received { get; set; }

        public TaskCompletionSource? Reached { get; set; }

        public override void ConnectionMade(IDatagramTransport transport) => Transport = transport;

        public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
        {
            Received++;
            if (Received < Goal) Transport.SendTo(data, address);
            else Reached?.SetResult();
        }
    }
}
