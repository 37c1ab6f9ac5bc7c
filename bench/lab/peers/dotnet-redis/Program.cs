// The clients that bench/RedisClient is compared with, under the same load: callers on the thread pool, each of which awaits one GET after the other.
//   client --server unix:PATH|HOST:PORT --mode stackexchange|raw [--in-flight 50] [--seconds 3] [--warm 1]
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using StackExchange.Redis;

string server = "", mode = "";
var (inFlight, seconds, warm) = (50, 3.0, 1.0);
for (var i = 0; i + 1 < args.Length; i += 2)
{
    if (args[i] == "--server") server = args[i + 1];
    if (args[i] == "--mode") mode = args[i + 1];
    if (args[i] == "--in-flight") inFlight = int.Parse(args[i + 1]);
    if (args[i] == "--seconds") seconds = double.Parse(args[i + 1]);
    if (args[i] == "--warm") warm = double.Parse(args[i + 1]);
}

EndPoint address = server.StartsWith("unix:") ? new UnixDomainSocketEndPoint(server[5..]) : IPEndPoint.Parse(server);
Func<Task> command;
if (mode == "stackexchange")
{
    var options = new ConfigurationOptions();
    options.EndPoints.Add(address);
    var multiplexer = await ConnectionMultiplexer.ConnectAsync(options);
    var database = multiplexer.GetDatabase();
    await database.StringSetAsync("sluice:bench", new byte[32]);
    command = () => database.StringGetAsync("sluice:bench");
}
else if (mode == "raw")
{
    var client = await RawClient.ConnectAsync(address);
    command = () => client.GetAsync();
}
else
{
    Console.Error.WriteLine("usage: client --server unix:PATH|HOST:PORT --mode stackexchange|raw [--in-flight 50] [--seconds 3] [--warm 1]");
    return 2;
}

await Measure(warm);
var (allocated, cpu, clock) = (GC.GetTotalAllocatedBytes(), Process.GetCurrentProcess().TotalProcessorTime, Stopwatch.StartNew());
var commands = await Measure(seconds);
var elapsed = clock.Elapsed;
cpu = Process.GetCurrentProcess().TotalProcessorTime - cpu;
allocated = GC.GetTotalAllocatedBytes() - allocated;
Console.WriteLine(JsonSerializer.Serialize(new
{
    client = mode,
    in_flight = inFlight,
    commands,
    commands_s = Math.Round(commands / elapsed.TotalSeconds),
    us_per_command = Math.Round(elapsed.TotalMicroseconds / commands, 2),
    cpu_us_per_command = Math.Round(cpu.TotalMicroseconds / commands, 2),
    allocated_per_command = allocated / commands,
}));
return 0;

Task<long> Measure(double length) => Task.Run(async () =>
{
    var end = Stopwatch.GetTimestamp() + (long)(length * Stopwatch.Frequency);
    return (await Task.WhenAll(Enumerable.Range(0, inFlight).Select(_ => CallAsync(end)))).Sum();
});

async Task<long> CallAsync(long end)
{
    var count = 0L;
    for (; Stopwatch.GetTimestamp() < end; count++) await command();
    return count;
}

/// <summary>The least that a client can do: one socket, one that sends at a time, one that receives. Knows one command and one reply.</summary>
sealed class RawClient(Socket socket)
{
    private static readonly byte[] Request = "*2\r\n$3\r\nGET\r\n$12\r\nsluice:bench\r\n"u8.ToArray();
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _asked = new();
    private byte[] _filling = new byte[1 << 20], _leaving = new byte[1 << 20];
    private int _filled;
    private bool _isSending;

    public static async Task<RawClient> ConnectAsync(EndPoint address)
    {
        var isUnix = address is UnixDomainSocketEndPoint;
        var socket = new Socket(isUnix ? AddressFamily.Unix : AddressFamily.InterNetwork, SocketType.Stream, isUnix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        if (!isUnix) socket.NoDelay = true;
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes($"*3\r\n$3\r\nSET\r\n$12\r\nsluice:bench\r\n$32\r\n{new string('x', 32)}\r\n"));
        if (await socket.ReceiveAsync(new byte[5]) != 5) throw new IOException();
        var client = new RawClient(socket);
        _ = client.ReceiveAsync();
        return client;
    }

    public Task GetAsync()
    {
        var reply = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _asked.Enqueue(reply);
            Request.CopyTo(_filling.AsSpan(_filled));
            _filled += Request.Length;
            if (_isSending) return reply.Task;
            _isSending = true;
        }

        _ = SendAsync();
        return reply.Task;
    }

    private async Task SendAsync()
    {
        while (true)
        {
            int count;
            lock (_gate)
            {
                if (_filled == 0)
                {
                    _isSending = false;
                    return;
                }

                (_filling, _leaving, count, _filled) = (_leaving, _filling, _filled, 0);
            }

            for (var sent = 0; sent < count;) sent += await socket.SendAsync(_leaving.AsMemory(sent, count - sent)).ConfigureAwait(false);
        }
    }

    private async Task ReceiveAsync()
    {
        var (buffer, filled) = (new byte[1 << 16], 0);
        while (await socket.ReceiveAsync(buffer.AsMemory(filled)) is > 0 and var count)
        {
            filled += count;
            const int Reply = 5 + 32 + 2; // $32 CR LF, the value, CR LF
            var whole = filled / Reply;
            for (var i = 0; i < whole; i++)
            {
                TaskCompletionSource reply;
                lock (_gate) reply = _asked.Dequeue();
                reply.SetResult();
            }

            buffer.AsSpan(whole * Reply, filled - whole * Reply).CopyTo(buffer);
            filled -= whole * Reply;
        }
    }
}
