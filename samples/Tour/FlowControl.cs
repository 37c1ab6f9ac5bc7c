using System.Net;
using Sluice;

namespace Tour;

/// <summary>A sender that is faster than its reader is told to stop at the high watermark, and to go on at the low one.</summary>
internal static class FlowControl
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        var transcript = new Transcript("5. Flow control: the reader pauses, so the sender has to");
        var connectionLost = loop.CreateFuture();
        var sender = new Sender(transcript);
        var server = await loop.CreateServerAsync(() => sender, new IPEndPoint(IPAddress.Loopback, 0));
        var (transport, reader) = await loop.CreateConnectionAsync(() => new CountingReader(connectionLost), server.EndPoints[0]);

        transcript.Call("reader", "PauseReading");
        transport.PauseReading();
        await sender.Paused;
        transcript.Call("reader", "ResumeReading", "the kernel's buffers and the sender's were full");
        transport.ResumeReading();
        await sender.Resumed;
        await connectionLost.Task;
        await server.DisposeAsync();

        var isRight = reader.Received == sender.Written
            && transcript.Saw("sender", "ConnectionMade", "PauseWriting", "ResumeWriting", "ConnectionLost");
        return transcript.Conclude(isRight, $"all {sender.Written:N0} bytes have arrived");
    }

    private sealed class Sender(Transcript transcript) : Protocol
    {
        private readonly byte[] _chunk = new byte[16 * 1024];
        private readonly TaskCompletionSource _paused = EventLoop.Current.CreateFuture();
        private readonly TaskCompletionSource _resumed = EventLoop.Current.CreateFuture();
        private ITransport? _transport;
        private bool _mayWrite = true;

        public Task Paused => _paused.Task;

        public Task Resumed => _resumed.Task;

        public long Written { get; private set; }

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            var (low, high) = transport.WriteBufferLimits;
            transcript.Callback("sender", "ConnectionMade", $"watermarks: low {low:N0}, high {high:N0}");
            transcript.Call("sender", "Write", $"{_chunk.Length:N0} bytes, again and again");
            while (_mayWrite)
            {
                Written += _chunk.Length;
                transport.Write(_chunk);
            }
        }

        public override void PauseWriting()
        {
            _mayWrite = false;
            transcript.Callback("sender", "PauseWriting", $"after {Written:N0} bytes; {_transport!.WriteBufferSize:N0} wait, above the high mark");
            _paused.SetResult();
        }

        public override void ResumeWriting()
        {
            transcript.Callback("sender", "ResumeWriting", $"{_transport!.WriteBufferSize:N0} wait, not above the low mark");
            transcript.Call("sender", "Close");
            _transport.Close();
            _resumed.SetResult();
        }

        public override void ConnectionLost(Exception? exception) => transcript.Callback("sender", "ConnectionLost", Transcript.Describe(exception));
    }

    private sealed class CountingReader(TaskCompletionSource connectionLost) : Protocol
    {
        public long Received { get; private set; }

        public override void DataReceived(ReadOnlySpan<byte> data) => Received += data.Length;

        public override void ConnectionLost(Exception? exception) => connectionLost.SetResult();
    }
}
