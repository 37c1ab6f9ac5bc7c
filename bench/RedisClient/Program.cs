// Loads a Redis server with one client on Sluice, to be compared with those of bench/lab/peers/dotnet-redis.
//   Sluice.RedisBench --server unix:PATH|HOST:PORT --mode future|plain|sample|threads [--in-flight 50] [--seconds 3] [--warm 1]
//     future    callers on the loop, one CreateFuture per reply
//     plain     the same, one plain TaskCompletionSource per reply: callers go on inside DataReceived
//     sample    callers on the loop, through the client of samples/RedisClient
//     threads   callers on the thread pool, through the same client
//     invoke    callers on the thread pool, one InvokeAsync per command
// Each caller awaits one GET after the other. Prints one line of JSON.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using RedisClient;
using Sluice;
using Sluice.RedisBench;

string? server = null, mode = null;
var (inFlight, seconds, warm) = (50, 3.0, 1.0);
for (var i = 0; i + 1 < args.Length; i += 2)
{
    switch (args[i])
    {
        case "--server": server = args[i + 1]; break;
        case "--mode": mode = args[i + 1]; break;
        case "--in-flight": inFlight = int.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
        case "--seconds": seconds = double.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
        case "--warm": warm = double.Parse(args[i + 1], CultureInfo.InvariantCulture); break;
        default: server = null; i = args.Length; break;
    }
}

if (server is null || mode is not ("future" or "plain" or "sample" or "threads" or "invoke"))
{
    Console.Error.WriteLine("usage: Sluice.RedisBench --server unix:PATH|HOST:PORT --mode future|plain|sample|threads|invoke [--in-flight 50] [--seconds 3] [--warm 1]");
    return 2;
}

EndPoint address = server.StartsWith("unix:", StringComparison.Ordinal)
    ? new UnixDomainSocketEndPoint(server["unix:".Length..])
    : IPEndPoint.Parse(server);
await using var loop = EventLoop.Start();
await using var redis = new Redis(loop, address);
await redis.SetAsync("sluice:bench", new byte[32]);
var (_, natural) = await loop.CreateConnectionAsync(() => new NaturalClient(mode == "future"), address);

await Measure(warm);
var (allocated, cpu, clock) = (GC.GetTotalAllocatedBytes(), Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.StartNew());
var commands = await Measure(seconds);
var elapsed = clock.Elapsed;
cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
allocated = GC.GetTotalAllocatedBytes() - allocated;
Console.WriteLine(JsonSerializer.Serialize(new
{
    client = $"sluice-{mode}",
    in_flight = inFlight,
    commands,
    commands_s = Math.Round(commands / elapsed.TotalSeconds),
    us_per_command = Math.Round(elapsed.TotalMicroseconds / commands, 2),
    cpu_us_per_command = Math.Round(cpu.TotalMicroseconds / commands, 2),
    allocated_per_command = allocated / commands,
}));
return 0;

async Task<long> Measure(double length)
{
    var end = Stopwatch.GetTimestamp() + (long)(length * Stopwatch.Frequency);
    Func<Task> command = mode switch
    {
        "future" or "plain" => () => natural.GetAsync("sluice:bench"),
        "invoke" => () => loop.InvokeAsync(static client => client.GetAsync("sluice:bench"), natural),
        _ => () => redis.GetAsync("sluice:bench"),
    };
    Func<Task<long>> all = async () => (await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => CallAsync(command, end)))).Sum();
    return mode is "threads" or "invoke" ? await Task.Run(all) : await loop.InvokeAsync(all);
}

static async Task<long> CallAsync(Func<Task> command, long end)
{
    var count = 0L;
    for (; Stopwatch.GetTimestamp() < end; count++) await command();
    return count;
}
