using System.IO.Pipes;
using System.Text;
using Sluice;

namespace Tour;

/// <summary>Both ends of a pipe on one loop: what goes in at one end comes out at the other.</summary>
internal static class Pipes
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        var transcript = new Transcript("8. A pipe: one end writes and closes, the other reads to the end");
        var connectionLost = loop.CreateFuture();
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        var (_, reader) = await loop.ConnectReadPipeAsync(() => new Reader(transcript, connectionLost), pipe.ClientSafePipeHandle);
        var (writer, _) = await loop.ConnectWritePipeAsync(() => new Writer(transcript), pipe.SafePipeHandle);

        transcript.Call("writer", "Write", "'abc'");
        writer.Write("abc"u8);
        transcript.Call("writer", "Close");
        writer.Close();
        await connectionLost.Task;

        var isRight = reader.Received == "abc"
            && transcript.Saw("reader", "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost")
            && transcript.Saw("writer", "ConnectionMade", "ConnectionLost");
        return transcript.Conclude(isRight, "what went in came out, and then the end");
    }

    private sealed class Writer(Transcript transcript) : WriteProtocol
    {
        public override void ConnectionMade(IWriteTransport transport) => transcript.Callback("writer", "ConnectionMade");

        public override void ConnectionLost(Exception? exception) => transcript.Callback("writer", "ConnectionLost", Transcript.Describe(exception));
    }

    private sealed class Reader(Transcript transcript, TaskCompletionSource connectionLost) : ReadProtocol
    {
        private readonly StringBuilder _received = new();

        public string Received => _received.ToString();

        public override void ConnectionMade(IReadTransport transport) => transcript.Callback("reader", "ConnectionMade");

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            transcript.Callback("reader", "DataReceived", Transcript.Quote(data));
            _received.Append(Encoding.UTF8.GetString(data));
        }

        public override bool EofReceived()
        {
            transcript.Callback("reader", "EofReceived");
            return false;
        }

        public override void ConnectionLost(Exception? exception)
        {
            transcript.Callback("reader", "ConnectionLost", Transcript.Describe(exception));
            connectionLost.SetResult();
        }
    }
}
