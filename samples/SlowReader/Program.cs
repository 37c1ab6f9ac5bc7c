// Flow control made visible: the server has 8 MiB to send, the client does not read for a while, then reads on.
using System.Net;
using Sluice;

EventLoop.Run(async loop =>
{
    await using var server = await loop.CreateServerAsync(() => new Source(8 * 1024 * 1024), new IPEndPoint(IPAddress.Loopback, 0));
    var connectionLost = loop.CreateFuture();
    var (transport, client) = await loop.CreateConnectionAsync(() => new SlowReader(connectionLost), server.EndPoints[0]);

    transport.PauseReading();
    Console.WriteLine("client  PauseReading");
    await Task.Delay(TimeSpan.FromMilliseconds(200), loop.TimeProvider);
    Console.WriteLine("client  ResumeReading");
    transport.ResumeReading();

    await connectionLost.Task;
    Console.WriteLine($"client  received {client.Received:N0} bytes");
});

internal sealed class Source(int total) : Protocol
{
    private static readonly byte[] Chunk = new byte[32 * 1024];
    private ITransport? _transport;
    private int _written;
    private int _pauses;
    private bool _mayWrite = true;

    public override void ConnectionMade(ITransport transport)
    {
        _transport = transport;
        Console.WriteLine($"server  the watermarks are {transport.WriteBufferLimits}");
        WriteWhilePossible();
    }

    // Called inside the Write that lifted the buffer over the high mark.
    public override void PauseWriting()
    {
        _mayWrite = false;
        if (_pauses++ < 3) Console.WriteLine($"server  PauseWriting   {_written,9:N0} bytes written before, {_transport!.WriteBufferSize,6:N0} wait");
    }

    public override void ResumeWriting()
    {
        _mayWrite = true;
        if (_pauses <= 3) Console.WriteLine($"server  ResumeWriting  {_written,9:N0} bytes written so far, {_transport!.WriteBufferSize,6:N0} wait");
        WriteWhilePossible();
    }

    public override void ConnectionLost(Exception? exception) => Console.WriteLine($"server  paused {_pauses} times");

    private void WriteWhilePossible()
    {
        while (_mayWrite && _written < total)
        {
            _transport!.Write(Chunk);
            _written += Chunk.Length;
        }

        if (_written >= total) _transport!.Close();
    }
}

internal sealed class SlowReader(TaskCompletionSource connectionLost) : Protocol
{
    public long Received { get; private set; }

    public override void DataReceived(ReadOnlySpan<byte> data) => Received += data.Length;

    public override void ConnectionLost(Exception? exception) => connectionLost.SetResult();
}
