using System.Net;
using System.Runtime.CompilerServices;
using Sluice.Testing;
using Sluice.Testing.Kits;

namespace Sluice.KernelTests.Tls;

/// <summary>What stays of TLS connections when they are over.</summary>
public sealed class LifetimeTests
{
    [Fact]
    [Case("TLS-052")]
    public void Nothing_refers_to_a_connection_that_is_over()
    {
        var over = new List<WeakReference>();
        EventLoop.Run(async loop =>
        {
            for (var i = 0; i < 10; i++) await ExchangeAsync(loop, over);
            while (loop.Core.OpenChannels > 0) await Task.Yield();

            // The loop's queues still hold the last turns until others have taken their places.
            for (var i = 0; i < 100; i++) await Task.Yield();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        });

        Assert.Equal(20, over.Count);
        Assert.DoesNotContain(over, static reference => reference.IsAlive);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task ExchangeAsync(EventLoop loop, List<WeakReference> over)
    {
        var served = new RecordingProtocol();
        var server = await loop.CreateServerAsync(
            () => served, new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = TestTls.Default.Server });
        var (transport, client) = await loop.CreateConnectionAsync(
            () => new RecordingProtocol(), server.EndPoints[0], new ConnectionOptions { Tls = TestTls.Default.Client });
        await served.Made;
        over.Add(new WeakReference(transport));
        over.Add(new WeakReference(served.Transport));
        transport.Close();
        await client.Lost;
        await served.Lost;
        server.Close();
    }
}
