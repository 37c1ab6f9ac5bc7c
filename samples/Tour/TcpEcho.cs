using System.Net;
using Sluice;

namespace Tour;

/// <summary>The guide's first pair: the server sends back what it gets and closes, the client waits for that.</summary>
internal static class TcpEcho
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        const string Message = "Hello World!";
        var transcript = new Transcript("1. TCP echo: the server sends the message back and closes");
        var server = await loop.CreateServerAsync(() => new EchoAndClose(transcript), new IPEndPoint(IPAddress.Loopback, 0));

        var connectionLost = loop.CreateFuture();
        var (_, client) = await loop.CreateConnectionAsync(() => new Client(transcript, Message, connectionLost), server.EndPoints[0]);
        await connectionLost.Task;
        await server.DisposeAsync();

        var isRight = client.Received == Message
            && transcript.Saw("server", "ConnectionMade", "DataReceived", "ConnectionLost")
            && transcript.Saw("client", "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost");
        return transcript.Conclude(isRight, "the client got back what it had sent, then the end of the stream");
    }

    internal sealed class EchoAndClose(Transcript transcript) : Protocol
    {
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            transcript.Callback("server", "ConnectionMade", $"from {transport.GetExtraInfo(ExtraInfo.PeerName)}");
        }

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            transcript.Callback("server", "DataReceived", Transcript.Quote(data));
            transcript.Call("server", "Write", Transcript.Quote(data));
            _transport!.Write(data);
            transcript.Call("server", "Close");
            _transport.Close();
        }

        public override void ConnectionLost(Exception? exception) =>
            transcript.Callback("server", "ConnectionLost", Transcript.Describe(exception));
    }
}
