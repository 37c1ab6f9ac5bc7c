using Sluice;

namespace Tour;

/// <summary>Echo over a Unix socket; the server owns its receive buffer, which is too small for the message on purpose.</summary>
internal static class UnixEcho
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        const string Message = "Hello Unix!";
        var transcript = new Transcript("4. A Unix socket and a buffered protocol: the kernel writes into the protocol's own 8 bytes");
        var path = Path.Combine(Path.GetTempPath(), $"sluice-tour-{Environment.ProcessId}.sock");
        var server = await loop.CreateUnixServerAsync(() => new BufferedEcho(transcript, Message.Length), path);

        var connectionLost = loop.CreateFuture();
        var (_, client) = await loop.CreateUnixConnectionAsync(() => new Client(transcript, Message, connectionLost), path);
        await connectionLost.Task;
        await server.DisposeAsync();

        var isRight = client.Received == Message
            && transcript.Saw("server", "ConnectionMade", "GetBuffer", "BufferUpdated", "GetBuffer", "BufferUpdated", "ConnectionLost");
        return transcript.Conclude(isRight, "two small buffers took the message one after the other");
    }

    private sealed class BufferedEcho(Transcript transcript, int expected) : BufferedProtocol
    {
        private readonly byte[] _buffer = new byte[8];
        private ITransport? _transport;
        private int _received;

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            transcript.Callback("server", "ConnectionMade");
        }

        public override Memory<byte> GetBuffer(int sizeHint)
        {
            transcript.Callback("server", "GetBuffer", $"any size will do ({sizeHint}): here are {_buffer.Length} bytes");
            return _buffer;
        }

        public override void BufferUpdated(int count)
        {
            transcript.Callback("server", "BufferUpdated", $"{count} bytes: {Transcript.Quote(_buffer.AsSpan(0, count))}");
            transcript.Call("server", "Write", Transcript.Quote(_buffer.AsSpan(0, count)));
            _transport!.Write(_buffer.AsSpan(0, count));
            _received += count;
            if (_received < expected) return;
            transcript.Call("server", "Close");
            _transport.Close();
        }

        public override void ConnectionLost(Exception? exception) => transcript.Callback("server", "ConnectionLost", Transcript.Describe(exception));
    }
}
