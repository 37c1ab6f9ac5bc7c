using System.Net;
using System.Runtime.CompilerServices;
using Sluice.Testing;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Tls;

/// <summary>What stays of TLS connections when they are over, and what is said of those that are not.</summary>
public sealed class LifetimeTests
{
    private static readonly IPEndPoint Address = new(IPAddress.Loopback, 4433);

    [Fact]
    [Case("TLS-052")]
    public void Nothing_refers_to_a_connection_that_is_over()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        var over = new List<WeakReference>();

        simulation.Run(host, async loop =>
        {
            for (var i = 0; i < 10; i++) await ExchangeAsync(loop, over);
            await Task.Delay(TimeSpan.FromSeconds(5), loop.TimeProvider);

            // What the last steps of the loop and of this method still hold goes with more of them.
            for (var i = 0; i < 10; i++) await Task.Yield();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        });

        Assert.Equal(20, over.Count);
        Assert.True(over.Count(static reference => reference.IsAlive) <= 1, "connections that are over are still held");
    }

    [Fact]
    [Case("TLS-055")]
    public void A_connection_that_is_open_when_its_loop_ends_is_told_of_in_debug_mode()
    {
        var logger = new ListLogger();
        using (var simulation = new Simulation(seed: 1))
        {
            var host = simulation.AddHost("host", new EventLoopOptions { Debug = true, Logger = logger });
            simulation.Run(host, async loop =>
            {
                await loop.CreateServerAsync(() => new RecordingProtocol(), Address, new ServerOptions { Tls = TestTls.Default.Server });
                await loop.CreateConnectionAsync(() => new RecordingProtocol(), Address, new ConnectionOptions { Tls = TestTls.Default.Client });
            });
        }

        Assert.Contains(logger.Entries, static entry => entry.Contains("TlsTransport", StringComparison.Ordinal) && entry.Contains("was never closed", StringComparison.Ordinal));
    }

    [Fact]
    [Case("TLS-015")]
    public void A_connect_that_is_cancelled_before_there_is_a_connection_is_no_unclosed_transport()
    {
        var logger = new ListLogger();
        using (var simulation = new Simulation(seed: 1))
        {
            var host = simulation.AddHost("host", new EventLoopOptions { Debug = true, Logger = logger });
            simulation.Run(host, async loop =>
            {
                using var giveUp = new CancellationTokenSource();
                var options = new ConnectionOptions { Tls = TestTls.Default.Client };
                var connecting = loop.CreateConnectionAsync(() => new RecordingProtocol(), Address, options, giveUp.Token);
                giveUp.Cancel();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
            });
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.DoesNotContain(logger.Entries, static entry => entry.Contains("never closed", StringComparison.Ordinal));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task ExchangeAsync(EventLoop loop, List<WeakReference> over)
    {
        var served = new RecordingProtocol();
        var server = await loop.CreateServerAsync(() => served, Address, new ServerOptions { Tls = TestTls.Default.Server });
        var (transport, client) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), Address, new ConnectionOptions { Tls = TestTls.Default.Client });
        await served.Made;
        over.Add(new WeakReference(transport));
        over.Add(new WeakReference(served.Transport));
        transport.Close();
        await client.Lost;
        await served.Lost;
        server.Close();
    }
}
