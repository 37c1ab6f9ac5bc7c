using System.Net;
using System.Net.Sockets;
using System.Runtime;
using Sluice.KernelTests.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Connections that fail to come about leave no descriptor, without help from the collector. Counted for the whole process, hence alone.</summary>
[Collection(nameof(CostTests))]
public sealed class LeakTests
{
    private const int Connections = 1_000;

    /// <summary>Bytes that a run may allocate: within them the collector, and with it the finalizers, stays idle.</summary>
    private const int NoCollectionWithin = 128 * 1024 * 1024;

    [Fact, Case("BUG-039")]
    public void Throwing_factories_of_servers_leave_no_descriptor() => RunCounting(async (loop, count) =>
    {
        loop.ExceptionHandler = static (_, _) => { };
        var server = await loop.CreateServerAsync(static () => throw new FormatException(), new IPEndPoint(IPAddress.Loopback, 0));
        for (var i = 0; i < count; i++)
        {
            var (_, client) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
            Assert.Null(await client.Lost);
        }

        server.Close();
    });

    [Fact, Case("BUG-039", "BUG-043")]
    public void Throwing_factories_of_clients_leave_no_descriptor() => RunCounting(async (loop, count) =>
    {
        RecordingProtocol? served = null;
        var server = await loop.CreateServerAsync(() => served = new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
        for (var i = 0; i < count; i++)
        {
            served = null;
            await Assert.ThrowsAsync<FormatException>(() => loop.CreateConnectionAsync<RecordingProtocol>(static () => throw new FormatException(), server.EndPoints[0]));
            while (served is null) await Task.Yield();
            await served.Lost;
        }

        server.Close();
    });

    [Fact, Case("BUG-043")]
    public void Refused_connects_leave_no_descriptor() => RunCounting(async (loop, count) =>
    {
        using var unheard = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unheard.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        for (var i = 0; i < count; i++)
        {
            await Assert.ThrowsAsync<SocketException>(() => loop.CreateConnectionAsync(static () => new RecordingProtocol(), unheard.LocalEndPoint!));
        }
    });

    [Fact, Case("BUG-044", "BUG-045")]
    public void Cancelled_connects_leave_no_descriptor_and_close_nobody_elses() => RunCounting(async (loop, count) =>
    {
        var server = await loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(IPAddress.Loopback, 0));
        var (bystander, echoed) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
        for (var i = 0; i < count; i++)
        {
            using var giveUp = new CancellationTokenSource();
            var connect = loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0], cancellationToken: giveUp.Token);
            giveUp.Cancel();

            // A number that is given back twice would be this one's.
            using var canary = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connect);
            canary.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        }

        bystander.Write("unharmed"u8);
        await echoed.WaitForBytesAsync(8);
        server.CloseClients();
        server.Close();
        bystander.Close();
        await server.WaitClosedAsync();
    });

    [Fact, Case("SENDFILE-018")]
    public void Files_that_are_sent_closed_meanwhile_or_given_up_leave_no_descriptor()
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, new byte[5_000]);
        RunCounting(async (loop, count) =>
        {
            var (first, second) = SocketPair.Create();
            var (near, _) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), first);
            var (far, peer) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), second);
            far.PauseReading();
            for (var i = 0; i < count; i++)
            {
                using var cancellation = new CancellationTokenSource();
                var file = File.OpenHandle(path);
                var sending = loop.SendFileAsync(near, file, cancellationToken: cancellation.Token);
                file.Dispose();
                if (i % 50 == 0) far.ResumeReading();
                if (i % 50 == 0) await sending;
                else cancellation.Cancel();
                await sending.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
                far.PauseReading();
            }

            near.Abort();
            far.Abort();
            await peer.Lost;
        });
        File.Delete(path);
    }

    /// <summary>Runs a few first, so that what is made once is there; then the whole run must leave as many descriptors as it found.</summary>
    private static void RunCounting(Func<EventLoop, int, Task> run)
    {
        RunOnce(10);

        var before = Bytes.SettledDescriptors();
        Assert.True(GC.TryStartNoGCRegion(NoCollectionWithin));
        var collections = GC.CollectionCount(0);
        try
        {
            RunOnce(Connections);
            Assert.Equal(before, Bytes.OpenDescriptors());
            Assert.Equal(collections, GC.CollectionCount(0));
        }
        finally
        {
            if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion) GC.EndNoGCRegion();
        }

        void RunOnce(int count)
        {
            using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
            loop.RunUntilComplete(() => run(loop, count));
        }
    }
}
