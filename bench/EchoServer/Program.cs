// An echo server on Sluice, for the load generator of bench/lab.
//   Sluice.EchoServer --listen tcp://127.0.0.1:PORT | tls://127.0.0.1:PORT | udp://127.0.0.1:PORT | unix:PATH | unixgram:PATH
//                     [--backend auto|epoll] [--protocol plain|buffered] [--loops 1] [--spin MICROSECONDS]
//                     [--certificate PKCS12_FILE]: for tls, instead of one made in memory
//                     [--sendfile FILE]: sends the file once for each byte it reads, instead of the echo
// Prints "listening URL" once it accepts. SIGTERM or SIGINT ends it: it prints what it did as one line of JSON.
using System.Text.Json;
using Microsoft.Win32.SafeHandles;
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
    using var file = arguments.SendFile is { } path ? File.OpenHandle(path) : null;
    await using var server = arguments.IsDatagram ? null : await ServeAsync(loop, file, stop);
    if (server is null) await loop.CreateDatagramEndpointAsync(() => new DatagramEcho(traffic), arguments.EndPoint, cancellationToken: stop);
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

async Task<Server?> ServeAsync(EventLoop loop, SafeFileHandle? file, CancellationToken stop)
{
    Func<IProtocol<ITransport>> factory = file is not null ? () => new FileServer(loop, file, traffic)
        : arguments.Buffered ? () => new BufferedEcho(traffic) : () => new Echo(traffic);
    return await loop.CreateServerAsync(factory, arguments.EndPoint, new ServerOptions { Backlog = 4096, Tls = arguments.IsTls ? Certificates.Load(arguments.Certificate) : null }, stop);
}
