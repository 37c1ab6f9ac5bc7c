using System.Net;
using Sluice;

namespace Tour;

/// <summary>The client ends its side first; the server keeps its own side open, answers, and closes.</summary>
internal static class HalfClose
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        var transcript = new Transcript("2. Half-close: the answer comes after the client has said that it sends no more");
        var server = await loop.CreateServerAsync(() => new Summing(transcript), new IPEndPoint(IPAddress.Loopback, 0));

        var connectionLost = loop.CreateFuture();
        var (_, client) = await loop.CreateConnectionAsync(
            () => new Client(transcript, "1 2 3", connectionLost) { EndsItsSide = true }, server.EndPoints[0]);
        await connectionLost.Task;
        await server.DisposeAsync();

        var isRight = client.Received == "5 bytes"
            && transcript.Saw("server", "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost")
            && transcript.Saw("client", "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost");
        return transcript.Conclude(isRight, "the side that was left open carried the answer");
    }

    private sealed class Summing(Transcript transcript) : Protocol
    {
        private ITransport? _transport;
        private int _sum;

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            transcript.Callback("server", "ConnectionMade", $"from {transport.GetExtraInfo(ExtraInfo.PeerName)}");
        }

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            transcript.Callback("server", "DataReceived", Transcript.Quote(data));
            _sum += data.Length;
        }

        public override bool EofReceived()
        {
            transcript.Callback("server", "EofReceived", "returns true: this side stays open");
            transcript.Call("server", "Write", $"'{_sum} bytes'");
            _transport!.Write(System.Text.Encoding.UTF8.GetBytes($"{_sum} bytes"));
            transcript.Call("server", "Close");
            _transport.Close();
            return true;
        }

        public override void ConnectionLost(Exception? exception) => transcript.Callback("server", "ConnectionLost", Transcript.Describe(exception));
    }
}
