using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Transports.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls;

/// <summary>
/// Handshakes, finished ones and those that are given up, leave nothing behind. Counted for the whole process, hence alone. SLUICE_SOAK_HANDSHAKES asks for more of
/// them.
/// </summary>
[Collection(nameof(CostTests))]
public sealed class HandshakeLeakTests
{
    private const int AtOnce = 16;

    /// <summary>What a connection may leave in live memory: less than any object, and the runtime's own growth besides.</summary>
    private const long HeapSlack = 512 * 1024;

    private const long HeapPerHandshake = 8;

    private static int Handshakes => int.TryParse(Environment.GetEnvironmentVariable("SLUICE_SOAK_HANDSHAKES"), out var count) ? count : 2_000;

    [Fact, Case("TLS-052", "BUG-058")]
    public async Task Thousands_of_handshakes_leave_descriptors_threads_and_memory_as_they_were()
    {
        await using var serving = EventLoop.Start(new EventLoopOptions { Backend = LoopBackend.Epoll });
        await using var calling = EventLoop.Start(new EventLoopOptions { Backend = LoopBackend.Epoll });
        var server = await serving.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(IPAddress.Any, 0), new ServerOptions { Tls = TlsParties.Server() });
        var port = ((IPEndPoint)server.EndPoints[0]).Port;
        var tls = TlsParties.Client();
        await calling.InvokeAsync(() => RunAsync(1_000));
        var before = Footprint.Take();

        await calling.InvokeAsync(() => RunAsync(Handshakes));

        var after = Footprint.Take();
        Assert.Equal(before.Descriptors, after.Descriptors);
        Assert.Equal(before.Threads, after.Threads);
        Assert.InRange(after.Heap - before.Heap, long.MinValue, HeapSlack + (Handshakes * HeapPerHandshake));
        await serving.InvokeAsync(async () =>
        {
            server.Close();
            await server.WaitClosedAsync();
        });

        async Task RunAsync(int count)
        {
            var next = 0;
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
            {
                while (next < count) await OnceAsync(next++);
            }));
            while (server.ConnectionCount > 0) await Task.Yield();
        }

        // Many addresses, so that the ports that rest in TIME_WAIT cannot run out.
        async Task OnceAsync(int number)
        {
            var address = new IPEndPoint(new IPAddress([127, 1, (byte)(number >> 6), (byte)(1 + (number & 63))]), port);
            var (transport, client) = await calling.CreateConnectionAsync(static () => new RecordingProtocol(), address, new ConnectionOptions { Tls = tls });
            if (number % 4 == 3)
            {
                transport.Abort();
            }
            else
            {
                transport.Write("hello"u8);
                await client.WaitForBytesAsync(5);
                transport.Close();
            }

            Assert.Null(await client.Lost);
        }
    }

    [Fact, Case("TLS-014", "TLS-036", "TLS-052", "BUG-058")]
    public void Transports_protocols_and_options_are_garbage_once_their_connections_are_over() => PeerRun.OnLoop(static async loop =>
    {
        var server = await loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = TlsParties.Server() });
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();

        // Both with deadlines that are far away: what a timer held would live for a minute.
        WeakReference[] closed = await ConnectAndCloseAsync(loop, server.EndPoints[0]);
        WeakReference[] cancelled = await ConnectAndCancelAsync(loop, silent.LocalEndPoint!);
        await Task.Yield();

        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            await Task.Yield();
        }

        Assert.All(closed, static reference => Assert.False(reference.IsAlive));
        Assert.All(cancelled, static reference => Assert.False(reference.IsAlive));
        server.Close();
        await server.WaitClosedAsync();
    });

    private static async Task<WeakReference[]> ConnectAndCloseAsync(EventLoop loop, EndPoint address)
    {
        var tls = TlsParties.Client();
        var (transport, client) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), address, new ConnectionOptions { Tls = tls });
        transport.Write("hello"u8);
        await client.WaitForBytesAsync(5);
        transport.Close();
        Assert.Null(await client.Lost);
        return [new(transport), new(client), new(tls), new(transport.GetExtraInfo(ExtraInfo.SslStream))];
    }

    private static async Task<WeakReference[]> ConnectAndCancelAsync(EventLoop loop, EndPoint silent)
    {
        using var giveUp = new CancellationTokenSource();
        var tls = TlsParties.Client();
        var client = new RecordingProtocol();
        var connecting = loop.CreateConnectionAsync(() => client, silent, new ConnectionOptions { Tls = tls }, giveUp.Token);
        for (var i = 0; i < 20; i++) await Task.Yield();
        giveUp.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        return [new(client), new(tls), new(connecting)];
    }

    [Fact, Case("BUG-058", "TLS-014", "TLS-020")]
    public void Handshakes_that_are_given_up_at_any_step_leave_no_descriptor() => PeerRun.OnLoop(static async loop =>
    {
        const int Steps = 60;
        const int Rounds = 10;
        var server = await loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = TlsParties.Server() });
        var outcomes = new HashSet<bool>();
        for (var step = 0; step < Steps; step++) await GiveUpAsync(step);
        while (server.ConnectionCount > 0) await Task.Yield();
        var before = Bytes.SettledDescriptors();

        for (var round = 0; round < Rounds; round++)
        {
            for (var step = 0; step < Steps; step++) outcomes.Add(await GiveUpAsync(step));
        }

        while (server.ConnectionCount > 0) await Task.Yield();
        Assert.Equal(before, Bytes.OpenDescriptors());
        Assert.Equal(2, outcomes.Count);
        server.Close();

        // Cancels after a number of passes: some cancellations come in the midst of the handshake, the last ones behind it.
        async Task<bool> GiveUpAsync(int passes)
        {
            using var giveUp = new CancellationTokenSource();
            var client = new RecordingProtocol();
            var connecting = loop.CreateConnectionAsync(() => client, server.EndPoints[0], new ConnectionOptions { Tls = TlsParties.Client() }, giveUp.Token);
            for (var i = 0; i < passes && !connecting.IsCompleted; i++) await Task.Yield();
            giveUp.Cancel();
            try
            {
                var (transport, _) = await connecting;
                transport.Abort();
                await client.Lost;
                return true;
            }
            catch (OperationCanceledException)
            {
                Assert.Empty(client.Trace);
                return false;
            }
        }
    });
}
