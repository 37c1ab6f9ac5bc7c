using System.Net;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Transports over an epoll that says "readable" when there is nothing to read, or that a signal interrupts.</summary>
public sealed class EmptyReadTests
{
    [Theory]
    [Case("BUF-008", "TCP-011")]
    [InlineData(11, false)]
    [InlineData(11, true)]
    [InlineData(4, false)]
    [InlineData(4, true)]
    public void A_read_that_gives_nothing_calls_nobody_and_the_next_one_goes_on(int errno, bool isBuffered)
    {
        var system = new FaultySyscalls();
        var plain = new RecordingProtocol();
        var buffered = new RecordingBufferedProtocol();
        var record = isBuffered ? buffered.Record : plain.Record;
        using var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions());
        loop.RunUntilComplete(async () =>
        {
            var server = await loop.CreateServerAsync(() => new RecordingProtocol { OnMade = static transport => transport.Write("data"u8) }, new IPEndPoint(IPAddress.Loopback, 0));
            for (var i = 0; i < 3; i++) system.ReceiveErrors.Enqueue(new IoError(errno));
            if (isBuffered) await loop.CreateConnectionAsync(() => buffered, server.EndPoints[0]);
            else await loop.CreateConnectionAsync(() => plain, server.EndPoints[0]);

            await record.WaitForBytesAsync(4);
            server.Close();
        });

        Assert.Empty(system.ReceiveErrors);
        Assert.Equal(["ConnectionMade", "DataReceived(4)"], record.Trace.Take(2));
        Assert.Equal(isBuffered ? 4 : 0, buffered.BufferRequests);
        Assert.Empty(record.Violations);
    }
}
