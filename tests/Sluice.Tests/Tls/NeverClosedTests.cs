using System.Net;
using Sluice.Testing;
using Sluice.Testing.Kits;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Tls;

/// <summary>What is said of TLS connections that are not over when their loop is.</summary>
public sealed class NeverClosedTests
{
    private static readonly IPEndPoint Address = new(IPAddress.Loopback, 4433);

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
}
