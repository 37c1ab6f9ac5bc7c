using System.Net;
using Sluice;

EventLoop.Run(async (loop, interrupted) =>
{
    var address = IPEndPoint.Parse(args.FirstOrDefault("127.0.0.1:8888"));
    var server = await loop.CreateServerAsync(() => new Echo(), address, cancellationToken: interrupted);
    Console.WriteLine($"Serving on {server.EndPoints[0]}");
    await server.ServeForeverAsync(interrupted); // until Ctrl+C
});

internal sealed class Echo : Protocol
{
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Write(data);
}
