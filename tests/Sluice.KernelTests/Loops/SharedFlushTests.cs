using System.Net;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>What methods cost that await one reply each and write the next request: system calls in proportion to the reads, not to the requests.</summary>
public sealed class SharedFlushTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory, Case("FLOW-020")]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(1_000)]
    public void Requests_of_many_methods_leave_together(int inFlight)
    {
        const int Rounds = 20;
        var system = new FaultySyscalls();
        using var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions());
        loop.RunUntilComplete(async () =>
        {
            var server = await loop.CreateServerAsync(static () => new ByteEcho(), new IPEndPoint(IPAddress.Loopback, 0));
            var (_, client) = await loop.CreateConnectionAsync(static () => new AskingProtocol(), server.EndPoints[0]);
            var sends = system.Sends;

            await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => AskAsync(client))).WaitAsync(Patience);

            // Two for each round: what the client asks and what the server answers. TCP may hand out a part of what was sent; so a few more.
            Assert.InRange(system.Sends - sends, 2, 2 * Rounds + Rounds / 2);
        });

        static async Task AskAsync(AskingProtocol client)
        {
            for (var i = 0; i < Rounds; i++) await client.AskAsync();
        }
    }

    private sealed class ByteEcho : Protocol
    {
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport) => _transport = transport;

        public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Write(data);
    }

    private sealed class AskingProtocol : Protocol
    {
        private readonly Queue<TaskCompletionSource> _asked = new();
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport) => _transport = transport;

        public Task AskAsync()
        {
            var reply = EventLoop.Current.CreateFuture();
            _asked.Enqueue(reply);
            _transport!.Write("?"u8);
            return reply.Task;
        }

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            for (var i = 0; i < data.Length; i++) _asked.Dequeue().SetResult();
        }
    }
}
