namespace Sluice.Testing.Checks.Protocols;

/// <summary>How bytes find their way when a plain and a buffered protocol take turns on one transport.</summary>
internal static class ProtocolExchangeChecks
{
    [Check("BUF-005")]
    public static async Task Plain_and_buffered_protocols_can_take_turns_at_every_read(CheckStage stage)
    {
        var received = new List<byte>();
        var deliveries = new List<string>();
        var plain = new Plain();
        var buffered = new Buffered();
        plain.OnData = data => Note("plain", data, buffered, plain.Transport!);
        buffered.OnData = data => Note("buffered", data, plain, plain.Transport!);
        var pair = await stage.ConnectAsync(() => plain);

        for (var i = 0; i < 10; i++)
        {
            pair.Server.Write(Payload.At(i * 50, 50));
            await stage.UntilAsync(() => received.Count == (i + 1) * 50);
        }

        Check.Bytes(Payload.Of(500), received.ToArray());
        Check.That(deliveries.Count >= 10);
        Check.Trace(deliveries, Enumerable.Range(0, deliveries.Count).Select(static i => i % 2 == 0 ? "plain" : "buffered"));
        Check.Equal(1, plain.Made + buffered.Made, "calls of ConnectionMade");
        pair.Client.Close();
        await stage.UntilAsync(() => plain.Lost + buffered.Lost == 1);

        void Note(string who, ReadOnlySpan<byte> data, IProtocol<ITransport> next, ITransport transport)
        {
            deliveries.Add(who);
            received.AddRange(data);
            transport.SetProtocol(next);
            Check.That(ReferenceEquals(next, transport.Protocol));
        }
    }

    [Check("BUF-005")]
    public static async Task A_protocol_set_inside_GetBuffer_is_asked_instead(CheckStage stage)
    {
        var first = new Buffered();
        var second = new Buffered();
        var received = new List<byte>();
        second.OnData = data => received.AddRange(data);
        ITransport? transport = null;
        first.OnGetBuffer = () => transport!.SetProtocol(second);
        first.OnData = static _ => throw new CheckFailedException("the protocol that was replaced got bytes");
        var pair = await stage.ConnectAsync(() => first);
        transport = pair.Client;

        pair.Server.Write(Payload.Of(300));
        await stage.UntilAsync(() => received.Count == 300);

        Check.Bytes(Payload.Of(300), received.ToArray());
        pair.Client.Close();
        await stage.UntilAsync(() => second.Lost == 1);
        Check.Equal(0, first.Lost);
    }

    [Check("BUF-005")]
    public static async Task A_plain_protocol_set_inside_GetBuffer_gets_the_bytes(CheckStage stage)
    {
        var plain = new Plain();
        var received = new List<byte>();
        plain.OnData = data => received.AddRange(data);
        ITransport? transport = null;
        var buffered = new Buffered { OnGetBuffer = () => transport!.SetProtocol(plain) };
        var pair = await stage.ConnectAsync(() => buffered);
        transport = pair.Client;

        pair.Server.Write(Payload.Of(300));
        await stage.UntilAsync(() => received.Count == 300);

        Check.Bytes(Payload.Of(300), received.ToArray());
        pair.Client.Close();
        await stage.UntilAsync(() => plain.Lost == 1);
    }

    private sealed class Plain : Protocol
    {
        public DataHook? OnData { get; set; }

        public ITransport? Transport { get; private set; }

        public int Made { get; private set; }

        public int Lost { get; private set; }

        public override void ConnectionMade(ITransport transport)
        {
            Transport = transport;
            Made++;
        }

        public override void DataReceived(ReadOnlySpan<byte> data) => OnData?.Invoke(data);

        public override void ConnectionLost(Exception? exception) => Lost++;
    }

    private sealed class Buffered : BufferedProtocol
    {
        private readonly byte[] _buffer = new byte[64];

        public Action? OnGetBuffer { get; set; }

        public DataHook? OnData { get; set; }

        public int Made { get; private set; }

        public int Lost { get; private set; }

        public override void ConnectionMade(ITransport transport) => Made++;

        public override Memory<byte> GetBuffer(int sizeHint)
        {
            OnGetBuffer?.Invoke();
            return _buffer;
        }

        public override void BufferUpdated(int count) => OnData?.Invoke(_buffer.AsSpan(0, count));

        public override void ConnectionLost(Exception? exception) => Lost++;
    }
}
