using System.Runtime.InteropServices;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Servers that answer each request, clients that ask and wait, and what the ones owe the others. Shared by the checks of draining.</summary>
internal static class Clerks
{
    private const int RequestLength = 7;

    /// <summary>No connection is told of a drain before its first data.</summary>
    public static ServerOptions Patient { get; } = new() { DrainGrace = Timeout.InfiniteTimeSpan };

    public static IProtocol<ITransport> New(KernelStage stage) => new Clerk(stage);

    public static IProtocol<ITransport> NewBuffered(KernelStage stage) => new BufferedClerk(stage);

    /// <summary>Clients that have connected and asked before anybody serves the listener.</summary>
    public static async Task<(SafeHandle Listener, List<RecordingProtocol> Clients)> QueueAsync(KernelStage stage, int count, byte[] request)
    {
        var address = stage.CreateListenAddress();
        var listener = stage.CreateBoundSocket(address, listens: true);
        var clients = new List<RecordingProtocol>();
        for (var i = 0; i < count; i++)
        {
            var (transport, client) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), stage.AddressOf(listener));
            transport.Write(request);
            clients.Add(client);
        }

        await stage.SettleAsync();
        return (listener, clients);
    }

    public static async Task AnsweredAsync(List<RecordingProtocol> clients)
    {
        foreach (var client in clients)
        {
            Check.That(await client.Lost is null);
            Check.Bytes("answer"u8, client.Received);
        }
    }

    /// <summary>The guide's own idiom: who is idle when the server drains closes, whoever is not does so behind the answer.</summary>
    private sealed class Clerk(KernelStage stage) : Protocol
    {
        private readonly Desk _desk = new(stage);

        public override void ConnectionMade(ITransport transport) => _desk.Transport = transport;

        public override void DataReceived(ReadOnlySpan<byte> data) => _desk.Take(data.Length);

        public override void DrainRequested() => _desk.Drain();
    }

    private sealed class BufferedClerk(KernelStage stage) : BufferedProtocol
    {
        private readonly byte[] _buffer = new byte[5];
        private readonly Desk _desk = new(stage);

        public override void ConnectionMade(ITransport transport) => _desk.Transport = transport;

        public override Memory<byte> GetBuffer(int sizeHint) => _buffer;

        public override void BufferUpdated(int count) => _desk.Take(count);

        public override void DrainRequested() => _desk.Drain();
    }

    private sealed class Desk(KernelStage stage)
    {
        private int _received;
        private bool _drains;

        public ITransport Transport { get; set; } = null!;

        public void Take(int count)
        {
            _received += count;
            if (_received < RequestLength) return;
            _received -= RequestLength;
            Transport.Write("answer"u8);
            if (_drains) Transport.Close();
        }

        public void Drain()
        {
            Check.That(stage.Loop.IsRunning && !_drains);
            _drains = true;
            if (_received == 0) Transport.Close();
        }
    }
}
