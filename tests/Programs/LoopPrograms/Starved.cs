using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice;

namespace Programs.LoopPrograms;

/// <summary>An echo server whose process may open only a few descriptors more. Each report goes to standard output, with the loop's time.</summary>
internal static partial class Starved
{
    private const int LimitOfDescriptors = 7;
    private const int Spare = 8;

    public static int Run()
    {
        EventLoop.Run(ServeAsync);
        return 0;
    }

    private static async Task ServeAsync(EventLoop loop)
    {
        loop.ExceptionHandler = static (loop, context) =>
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{loop.Time.TotalSeconds:F3} {context.Message}: {context.Exception?.Message} at {context.EndPoint}"));
        var server = await loop.CreateServerAsync(static () => new Echo(), new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { MaxConnections = int.MaxValue });

        // What the runtime loads for all this it has to load now: later it could not open a file.
        var client = new Client();
        var (transport, _) = await loop.CreateConnectionAsync(() => client, server.EndPoints[0]);
        transport.Write("x"u8);
        await client.Lost.Task;
        loop.CallExceptionHandler(new ExceptionContext("warm-up") { Exception = new SocketException((int)SocketError.TooManyOpenSockets), EndPoint = server.EndPoints[0] });
        LimitDescriptors();

        Console.WriteLine(((IPEndPoint)server.EndPoints[0]).Port);
        await server.ServeForeverAsync();
    }

    private static unsafe void LimitDescriptors()
    {
        var highest = Directory.GetFileSystemEntries("/proc/self/fd").Max(static entry => int.Parse(Path.GetFileName(entry), CultureInfo.InvariantCulture));
        var limit = stackalloc ulong[2];
        limit[0] = limit[1] = (ulong)(highest + 1 + Spare);
        if (SetLimit(LimitOfDescriptors, limit) != 0) throw new InvalidOperationException("setrlimit failed.");
    }

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static unsafe partial int SetLimit(int resource, ulong* softAndHard);

    private sealed class Echo : Protocol
    {
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport) => _transport = transport;

        public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Write(data);
    }

    private sealed class Client : Protocol
    {
        private ITransport? _transport;

        public TaskCompletionSource Lost { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void ConnectionMade(ITransport transport) => _transport = transport;

        public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Close();

        public override void ConnectionLost(Exception? exception) => Lost.TrySetResult();
    }
}
