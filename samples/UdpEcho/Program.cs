// The UDP echo server and client of asyncio's guide: the client sends a datagram, the server sends it back, the client closes.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Sluice;

const string Usage = "usage: UdpEcho [--server [port] | --client [port] [message]]     no argument: both in one process";
var port = 9999;
if (args.Length > 1 && !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out port)) args = ["?"];
Func<EventLoop, CancellationToken, Task>? main = args switch
{
    [] => BothAsync,
    ["--server"] or ["--server", _] => (loop, interrupted) => ServeAsync(loop, port, interrupted),
    ["--client"] or ["--client", _] => (loop, _) => AskAsync(loop, new IPEndPoint(IPAddress.Loopback, port), "Hello World!"),
    ["--client", _, var message] => (loop, _) => AskAsync(loop, new IPEndPoint(IPAddress.Loopback, port), message),
    _ => null,
};

if (main is null)
{
    Console.Error.WriteLine(Usage);
    return 2;
}

try
{
    EventLoop.Run(main);
    return 0;
}
catch (SocketException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 1;
}

static async Task ServeAsync(EventLoop loop, int port, CancellationToken interrupted)
{
    // One endpoint serves all clients: there are no connections.
    var (transport, _) = await loop.CreateDatagramEndpointAsync(() => new EchoServerProtocol(), local: new IPEndPoint(IPAddress.Loopback, port), cancellationToken: interrupted);
    Console.WriteLine($"Serving on {transport.GetExtraInfo(ExtraInfo.SocketName)}");
    var stopped = loop.CreateFuture();
    using var registration = interrupted.Register(stopped.SetResult);
    await stopped.Task;
    transport.Close();
    Console.WriteLine("Stopped");
}

static async Task AskAsync(EventLoop loop, EndPoint server, string message)
{
    var connectionLost = loop.CreateFuture();
    await loop.CreateDatagramEndpointAsync(() => new EchoClientProtocol(message, connectionLost), remote: server);
    await connectionLost.Task;
}

static async Task BothAsync(EventLoop loop, CancellationToken interrupted)
{
    var (transport, _) = await loop.CreateDatagramEndpointAsync(() => new EchoServerProtocol(), local: new IPEndPoint(IPAddress.Loopback, 0), cancellationToken: interrupted);
    await AskAsync(loop, transport.GetExtraInfo(ExtraInfo.SocketName)!, "Hello World!");
    transport.Close();
}

internal sealed class EchoServerProtocol : DatagramProtocol
{
    private IDatagramTransport? _transport;

    public override void ConnectionMade(IDatagramTransport transport) => _transport = transport;

    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
    {
        Console.WriteLine($"Received '{Encoding.UTF8.GetString(data)}' from {address}");
        _transport!.SendTo(data, address);
    }
}

internal sealed class EchoClientProtocol(string message, TaskCompletionSource connectionLost) : DatagramProtocol
{
    private IDatagramTransport? _transport;

    public override void ConnectionMade(IDatagramTransport transport)
    {
        _transport = transport;
        Console.WriteLine($"Send: '{message}'");
        transport.SendTo(Encoding.UTF8.GetBytes(message));
    }

    public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
    {
        Console.WriteLine($"Received: '{Encoding.UTF8.GetString(data)}'");
        _transport!.Close();
    }

    // Nobody listens there, for example. The endpoint would stay usable; this client gives up.
    public override void ErrorReceived(Exception exception)
    {
        Console.WriteLine($"Error received: {exception.Message}");
        _transport!.Close();
    }

    public override void ConnectionLost(Exception? exception) => connectionLost.SetResult();
}
