using System.Net;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Transports over a kernel that takes a few bytes at a time.</summary>
public sealed class PartialWriteTests
{
    [Theory, Case("BUG-002", "BUG-029", "TCP-029", "TCP-031")]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4097)]
    public void Every_byte_arrives_in_order_however_few_are_taken(int most)
    {
        var system = new FaultySyscalls { MaxSend = most };
        var message = Bytes.Pattern(1_000 * Math.Min(most, 100));
        using var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions());
        loop.RunUntilComplete(async () =>
        {
            var served = new RecordingProtocol();
            var server = await loop.CreateServerAsync(() => served, new IPEndPoint(IPAddress.Loopback, 0));
            var (transport, _) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), server.EndPoints[0]);

            for (var at = 0; at < message.Length; at += 500)
            {
                var piece = message.AsMemory(at, Math.Min(500, message.Length - at));
                if (at % 1_000 == 0) transport.Write(piece.Span);
                else transport.WriteLines([piece[..3], default, piece[3..]]);
            }

            transport.Close();
            Assert.Null(await served.Lost);
            Assert.True(message.AsSpan().SequenceEqual(served.Received));
            server.Close();
        });
    }
}
