using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using Sluice;

namespace Tour;

/// <summary>A part of a file goes over a connection without passing through the program.</summary>
internal static class SendFile
{
    private const int Size = 300_000;
    private const int Offset = 1000;

    public static async Task<bool> RunAsync(EventLoop loop)
    {
        var transcript = new Transcript("9. sendfile: a file from its 1,000th byte on, sent by the kernel");
        var content = RandomNumberGenerator.GetBytes(Size);
        var path = Path.GetTempFileName();
        await using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose });
        file.Write(content);
        file.Flush();

        var connectionLost = loop.CreateFuture();
        var receiver = new Receiver(transcript, connectionLost);
        var server = await loop.CreateServerAsync(() => receiver, new IPEndPoint(IPAddress.Loopback, 0));
        var (transport, _) = await loop.CreateConnectionAsync(() => new Sender(transcript), server.EndPoints[0]);

        transcript.Call("sender", "SendFile", $"from byte {Offset:N0} to the end");
        var sent = await loop.SendFileAsync(transport, file, Offset);
        transcript.Call("sender", "Close", $"{sent:N0} bytes were sent");
        transport.Close();
        await connectionLost.Task;
        await server.DisposeAsync();

        var isRight = sent == Size - Offset && file.Position == Size && receiver.Received.SequenceEqual(content.AsSpan(Offset))
            && transcript.Saw("receiver", "ConnectionMade", "EofReceived", "ConnectionLost");
        return transcript.Conclude(isRight, $"all {sent:N0} bytes have arrived, and none besides");
    }

    private sealed class Sender(Transcript transcript) : Protocol
    {
        public override void ConnectionMade(ITransport transport) => transcript.Callback("sender", "ConnectionMade");
    }

    private sealed class Receiver(Transcript transcript, TaskCompletionSource connectionLost) : Protocol
    {
        private readonly ArrayBufferWriter<byte> _received = new();

        public ReadOnlySpan<byte> Received => _received.WrittenSpan;

        public override void ConnectionMade(ITransport transport) => transcript.Callback("receiver", "ConnectionMade");

        // In pieces: how many there are is the kernel's affair.
        public override void DataReceived(ReadOnlySpan<byte> data) => _received.Write(data);

        public override bool EofReceived()
        {
            transcript.Callback("receiver", "EofReceived", $"behind {_received.WrittenCount:N0} bytes");
            return false;
        }

        public override void ConnectionLost(Exception? exception)
        {
            transcript.Callback("receiver", "ConnectionLost", Transcript.Describe(exception));
            connectionLost.SetResult();
        }
    }
}
