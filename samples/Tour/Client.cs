using System.Text;
using Sluice;

namespace Tour;

/// <summary>The client of the echo exchanges: sends a message, keeps what comes back, and waits for the server to close.</summary>
internal sealed class Client(Transcript transcript, string message, TaskCompletionSource connectionLost) : Protocol
{
    private readonly List<byte> _received = [];

    public string Received => Encoding.UTF8.GetString([.. _received]);

    /// <summary>Ends the sending side behind the message: the server reads the end of the stream.</summary>
    public bool EndsItsSide { get; init; }

    public override void ConnectionMade(ITransport transport)
    {
        transcript.Callback("client", "ConnectionMade", $"to {transport.GetExtraInfo(ExtraInfo.PeerName)}");
        transcript.Call("client", "Write", $"'{message}'");
        transport.Write(Encoding.UTF8.GetBytes(message));
        if (!EndsItsSide) return;
        transcript.Call("client", "WriteEof");
        transport.WriteEof();
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        transcript.Callback("client", "DataReceived", Transcript.Quote(data));
        _received.AddRange(data);
    }

    public override bool EofReceived()
    {
        transcript.Callback("client", "EofReceived", "returns false: close too");
        return false;
    }

    public override void ConnectionLost(Exception? exception)
    {
        transcript.Callback("client", "ConnectionLost", Transcript.Describe(exception));
        connectionLost.SetResult();
    }
}
