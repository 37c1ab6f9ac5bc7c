// A socket that exists already gets a transport and a protocol: here one end of a pair, as in asyncio's guide.
using System.Text;
using Sluice;

EventLoop.Run(async loop =>
{
    var connectionLost = loop.CreateFuture();
    var (first, second) = SocketPair.Create();

    // From here on the first socket belongs to its transport; the second one stays ours.
    await loop.CreateConnectionAsync(() => new PrintingProtocol(connectionLost), first);

    // Plays the network: something arrives.
    loop.CallSoon(() => second.Send("abc"u8));

    using (second) await connectionLost.Task;
});

internal sealed class PrintingProtocol(TaskCompletionSource connectionLost) : Protocol
{
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        Console.WriteLine($"Received: {Encoding.UTF8.GetString(data)}");

        // Done: ConnectionLost follows by itself.
        _transport!.Close();
    }

    public override void ConnectionLost(Exception? exception) => connectionLost.SetResult();
}
