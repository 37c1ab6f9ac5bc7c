// The TCP echo server and client of asyncio's guide: the client sends a message, the server sends it back and closes.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Sluice;

const string Usage = "usage: TcpEcho [--server [port] | --client [port] [message]]     no argument: both in one process";
var port = 8888;
if (args.Length > 1 && !int.TryParse(args[1], NumberStyles.None, CultureInfo.InvariantCulture, out port)) args = ["?"];
Func<EventLoop, CancellationToken, Task>? main = args switch
{
    [] => BothAsync,
    ["--server"] or ["--server", _] => (loop, interrupted) => ServeAsync(loop, port, interrupted),
    ["--client"] or ["--client", _] => (loop, _) => ConnectAsync(loop, new IPEndPoint(IPAddress.Loopback, port), "Hello World!"),
    ["--client", _, var message] => (loop, _) => ConnectAsync(loop, new IPEndPoint(IPAddress.Loopback, port), message),
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
    var server = await loop.CreateServerAsync(() => new EchoServerProtocol(), new IPEndPoint(IPAddress.Loopback, port), null, interrupted);
    Console.WriteLine($"Serving on {server.EndPoints[0]}");

    // ServeForeverAsync lets connections finish for five seconds. An echo never does by itself: on Ctrl+C they go at once.
    using var registration = interrupted.Register(server.AbortClients);
    try
    {
        await server.ServeForeverAsync(interrupted);
    }
    catch (OperationCanceledException)
    {
        Console.WriteLine("Stopped");
    }
}

static async Task ConnectAsync(EventLoop loop, EndPoint server, string message)
{
    var connectionLost = loop.CreateFuture();
    await loop.CreateConnectionAsync(() => new EchoClientProtocol(message, connectionLost), server);
    await connectionLost.Task;
}

static async Task BothAsync(EventLoop loop, CancellationToken interrupted)
{
    await using var server = await loop.CreateServerAsync(() => new EchoServerProtocol(), new IPEndPoint(IPAddress.Loopback, 0), null, interrupted);
    await ConnectAsync(loop, server.EndPoints[0], "Hello World!");
}

internal sealed class EchoServerProtocol : Protocol
{
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport)
    {
        Console.WriteLine($"Connection from {transport.GetExtraInfo(ExtraInfo.PeerName)}");
        _transport = transport;
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        var message = Encoding.UTF8.GetString(data);
        Console.WriteLine($"Data received: '{message}'");

        Console.WriteLine($"Send: '{message}'");
        _transport!.Write(data);

        Console.WriteLine("Close the client socket");
        _transport.Close();
    }
}

internal sealed class EchoClientProtocol(string message, TaskCompletionSource connectionLost) : Protocol
{
    public override void ConnectionMade(ITransport transport)
    {
        transport.Write(Encoding.UTF8.GetBytes(message));
        Console.WriteLine($"Data sent: '{message}'");
    }

    public override void DataReceived(ReadOnlySpan<byte> data) => Console.WriteLine($"Data received: '{Encoding.UTF8.GetString(data)}'");

    public override void ConnectionLost(Exception? exception)
    {
        Console.WriteLine("The server closed the connection");
        connectionLost.SetResult();
    }
}
