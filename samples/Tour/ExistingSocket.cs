using Sluice;

namespace Tour;

/// <summary>The guide's socket pair: one end gets a transport, the other one stays a plain socket and plays the network.</summary>
internal static class ExistingSocket
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        var transcript = new Transcript("3. An existing socket: one end of a pair gets a transport");
        var connectionLost = loop.CreateFuture();
        var (first, second) = SocketPair.Create();
        var (_, reader) = await loop.CreateConnectionAsync(() => new Reader(transcript, connectionLost), first);
        loop.CallSoon(() => second.Send("abc"u8));
        using (second) await connectionLost.Task;

        var isRight = reader.Received == "'abc'" && transcript.Saw("reader", "ConnectionMade", "DataReceived", "ConnectionLost");
        return transcript.Conclude(isRight, "what a plain socket sent has arrived");
    }

    private sealed class Reader(Transcript transcript, TaskCompletionSource connectionLost) : Protocol
    {
        private ITransport? _transport;

        public string Received { get; private set; } = "";

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            transcript.Callback("reader", "ConnectionMade");
        }

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            Received = Transcript.Quote(data);
            transcript.Callback("reader", "DataReceived", Received);
            transcript.Call("reader", "Close");
            _transport!.Close();
        }

        public override void ConnectionLost(Exception? exception)
        {
            transcript.Callback("reader", "ConnectionLost", Transcript.Describe(exception));
            connectionLost.SetResult();
        }
    }
}
