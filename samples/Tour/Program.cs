using System.Net.Sockets;
using Sluice;
using Tour;

if (!Arguments.TryParse(args, out var arguments))
{
    Console.Error.WriteLine(Arguments.Usage);
    return 2;
}

try
{
    return arguments.Serve
        ? EventLoop.Run((loop, interrupted) => Serving.RunAsync(loop, arguments.Port, interrupted))
        : EventLoop.Run(Exchanges.RunAsync);
}
catch (SocketException exception)
{
    Console.Error.WriteLine($"tour: {exception.Message}");
    return 1;
}
