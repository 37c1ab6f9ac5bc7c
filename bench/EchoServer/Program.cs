// An echo server on Sluice, for the load generator of bench/lab.
//   Sluice.EchoServer --listen tcp://127.0.0.1:PORT | tls://127.0.0.1:PORT | unix:PATH [--backend auto|epoll] [--protocol plain|buffered] [--loops 1]
//     [--spin MICROSECONDS] [--certificate PKCS12_FILE]
// Prints "listening URL" once it accepts. SIGTERM or SIGINT ends it: it prints what it did as one line of JSON.
using System.Text.Json;
using Sluice;
using Sluice.EchoServer;

Arguments arguments;
try
{
    arguments = Arguments.Parse(args);
}
catch (FormatException exception)
{
    Console.Error.WriteLine(exception.Message);
    return 2;
}

var options = new EventLoopOptions { Backend = arguments.Backend, SpinBeforeBlocking = arguments.Spin };
var traffic = new Traffic();
long allocated = 0, wakeups = 0;
var collections = 0;

EventLoop.Run(async (loop, stop) =>
{
    Func<IProtocol<ITransport>> factory = arguments.Buffered ? () => new BufferedEcho(traffic) : () => new Echo(traffic);
    await using var server = await loop.CreateServerAsync(factory, arguments.EndPoint, new ServerOptions { Backlog = 4096, Tls = arguments.IsTls ? Certificates.Load(arguments.Certificate) : null }, stop);
    Console.WriteLine($"listening {arguments.Listen}");
    try
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, stop);
    }
    catch (OperationCanceledException)
    {
    }

    allocated = GC.GetTotalAllocatedBytes(precise: true);
    collections = GC.CollectionCount(0);
    wakeups = loop.Core.Backend.Wakeups;
}, options);

Console.WriteLine(JsonSerializer.Serialize(new
{
    messages = traffic.Messages,
    bytes = traffic.Bytes,
    allocated_bytes = allocated,
    collections,
    wakeups,
}));
return 0;
