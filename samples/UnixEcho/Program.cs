// Echo over a Unix socket. The server is a BufferedProtocol: the kernel writes into its own buffer, and the echo leaves from there.
using System.Text;
using Sluice;

EventLoop.Run(async loop =>
{
    var path = Path.Combine(Path.GetTempPath(), $"sluice-echo-{Environment.ProcessId}.sock");
    await using var server = await loop.CreateUnixServerAsync(() => new BufferedEcho(), path);
    Console.WriteLine($"Serving on {server.EndPoints[0]}");

    var connectionLost = loop.CreateFuture();
    await loop.CreateUnixConnectionAsync(() => new Client("Hello World!", connectionLost), path);
    await connectionLost.Task;
});

internal sealed class BufferedEcho : BufferedProtocol
{
    private readonly byte[] _buffer = new byte[4096];
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override Memory<byte> GetBuffer(int sizeHint) => _buffer;

    // Write copies what the kernel does not take at once, so the buffer is free again when it returns.
    public override void BufferUpdated(int count)
    {
        Console.WriteLine($"Server: {count} bytes in the buffer");
        _transport!.Write(_buffer.AsSpan(0, count));
    }

    public override bool EofReceived()
    {
        Console.WriteLine("Server: the client will send no more");
        return false;
    }
}

internal sealed class Client(string message, TaskCompletionSource connectionLost) : Protocol
{
    private readonly StringBuilder _reply = new();
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport)
    {
        _transport = transport;
        transport.Write(Encoding.UTF8.GetBytes(message));
        Console.WriteLine($"Client: sent '{message}'");
    }

    // A stream has no message boundaries: the echo may come in several parts.
    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        _reply.Append(Encoding.UTF8.GetString(data));
        if (_reply.Length < message.Length) return;
        Console.WriteLine($"Client: received '{_reply}'");
        _transport!.Close();
    }

    public override void ConnectionLost(Exception? exception) => connectionLost.SetResult();
}
