using System.Net;
using System.Text;
using Sluice;

namespace Tour;

/// <summary>The guide's second pair: one endpoint sends each datagram back to where it came from, the other asks once.</summary>
internal static class UdpEcho
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        const string Message = "Hello World!";
        var transcript = new Transcript("6. UDP echo: a datagram goes and comes back; nothing connects");
        var (server, _) = await loop.CreateDatagramEndpointAsync(() => new EchoEndpoint(transcript), local: new IPEndPoint(IPAddress.Loopback, 0));

        var connectionLost = loop.CreateFuture();
        var (_, client) = await loop.CreateDatagramEndpointAsync(
            () => new AskingEndpoint(transcript, Message, connectionLost), remote: server.GetExtraInfo(ExtraInfo.SocketName));
        await connectionLost.Task;
        server.Close();

        var isRight = client.Received == Message
            && transcript.Saw("client", "ConnectionMade", "DatagramReceived", "ConnectionLost")
            && transcript.Count("server", "DatagramReceived") == 1;
        return transcript.Conclude(isRight, "the datagram came back as it was sent");
    }

    private sealed class EchoEndpoint(Transcript transcript) : DatagramProtocol
    {
        private IDatagramTransport? _transport;

        public override void ConnectionMade(IDatagramTransport transport)
        {
            _transport = transport;
            transcript.Callback("server", "ConnectionMade", $"at {transport.GetExtraInfo(ExtraInfo.SocketName)}");
        }

        public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
        {
            transcript.Callback("server", "DatagramReceived", $"{Transcript.Quote(data)} from {address}");
            transcript.Call("server", "SendTo", $"{Transcript.Quote(data)} to {address}");
            _transport!.SendTo(data, address);
        }
    }

    private sealed class AskingEndpoint(Transcript transcript, string message, TaskCompletionSource connectionLost) : DatagramProtocol
    {
        private IDatagramTransport? _transport;

        public string? Received { get; private set; }

        public override void ConnectionMade(IDatagramTransport transport)
        {
            _transport = transport;
            transcript.Callback("client", "ConnectionMade", $"its only peer: {transport.GetExtraInfo(ExtraInfo.PeerName)}");
            transcript.Call("client", "SendTo", $"'{message}'");
            transport.SendTo(Encoding.UTF8.GetBytes(message));
        }

        public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
        {
            transcript.Callback("client", "DatagramReceived", Transcript.Quote(data));
            Received = Encoding.UTF8.GetString(data);
            transcript.Call("client", "Close");
            _transport!.Close();
        }

        // A lost datagram would leave the client waiting: the tour gives every exchange an end. A refusal is told here.
        public override void ErrorReceived(Exception exception) => transcript.Callback("client", "ErrorReceived", exception.Message);

        public override void ConnectionLost(Exception? exception)
        {
            transcript.Callback("client", "ConnectionLost", Transcript.Describe(exception));
            connectionLost.SetResult();
        }
    }
}
