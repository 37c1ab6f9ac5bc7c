// A Redis client that any thread may call: see Redis.cs for how such a library is built.
//   redis-server --port 0 --unixsocket /tmp/redis.sock
//   dotnet run --project samples/RedisClient -- /tmp/redis.sock          (or HOST:PORT)
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using RedisClient;
using Sluice;

if (args is not [var address])
{
    Console.Error.WriteLine("usage: RedisClient PATH | HOST:PORT");
    return 2;
}

await using var loop = EventLoop.Start();
await using var redis = new Redis(loop, Parse(address));

await redis.SetAsync("greeting", "Hello"u8.ToArray());
Console.WriteLine($"greeting = {Encoding.UTF8.GetString(await redis.GetAsync("greeting") ?? [])}");

// Nobody waits for one command before sending the next: all hundred leave in a few system calls.
await redis.DeleteAsync("visits");
var visits = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => redis.IncrementAsync("visits")));
Console.WriteLine($"visits   = {visits[^1]}");

// An error of the server belongs to its command, and to no other.
try
{
    await redis.IncrementAsync("greeting");
}
catch (RedisServerException exception)
{
    Console.WriteLine($"refused:   {exception.Message}");
}

// Nothing ever comes into this list, so the command is given up: by its token here, else by the deadline that each command has.
using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
try
{
    await redis.SendAsync(["BLPOP", "nothing:comes:here", "1"], patience.Token);
}
catch (OperationCanceledException)
{
    Console.WriteLine("given up:  BLPOP");
}

Console.WriteLine($"in time:   {await redis.SendAsync(["ECHO", "the reply of BLPOP was dropped, not taken for this one"])}");
return 0;

static EndPoint Parse(string address)
{
    var colon = address.LastIndexOf(':');
    return colon < 0 || address.Contains('/')
        ? new UnixDomainSocketEndPoint(address)
        : new DnsEndPoint(address[..colon], int.Parse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture));
}
