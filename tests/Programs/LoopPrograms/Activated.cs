using System.Diagnostics;
using System.Globalization;
using System.Text;
using Sluice;

namespace Programs.LoopPrograms;

/// <summary>A program that serves the sockets which it was started with: twice in a row, a server for each name.</summary>
internal static class Activated
{
    private const int Refused = 3;

    public static int Run(string[] names)
    {
        try
        {
            return EventLoop.Run(loop => ServeAsync(loop, names));
        }
        catch (InvalidOperationException exception)
        {
            Console.WriteLine($"refused: {exception.Message}");
            return Refused;
        }
    }

    /// <summary>Tells whether it was started with sockets.</summary>
    public static int Probe(string? name)
    {
        try
        {
            Console.WriteLine(ServerOptions.TryFromSystemd(out _, name));
            return 0;
        }
        catch (InvalidOperationException exception)
        {
            Console.WriteLine($"refused: {exception.Message}");
            return Refused;
        }
    }

    private static async Task<int> ServeAsync(EventLoop loop, string[] names)
    {
        var options = names.Select(static name => (Name: name, Options: ServerOptions.FromSystemd(name == "all" ? null : name) with { KeepAlive = true })).ToArray();
        for (var round = 0; round < 2; round++)
        {
            var ended = loop.CreateFuture();
            var servers = new List<Server>();
            foreach (var (name, chosen) in options) servers.Add(await loop.CreateServerAsync(() => new Answer(name, ended), chosen));
            Console.WriteLine($"serving {string.Join(" ", servers.Select(static server => server.EndPoints.Count.ToString(CultureInfo.InvariantCulture)))}");
            await ended.Task;
            foreach (var server in servers) await server.DisposeAsync();
        }

        Console.WriteLine(await DescribeChildAsync());
        return 0;
    }

    private static async Task<string> DescribeChildAsync()
    {
        using var child = Process.Start(new ProcessStartInfo("/bin/sh", ["-c", "echo child: ${LISTEN_PID-}${LISTEN_FDS-}${LISTEN_FDNAMES-} $(ls -l /proc/$$/fd | grep -c socket:)"])
        {
            RedirectStandardOutput = true,
        })!;
        var line = await child.StandardOutput.ReadLineAsync();
        await child.WaitForExitAsync();
        return line ?? "";
    }

    /// <summary>Answers with its server's name; "quit" ends the round.</summary>
    private sealed class Answer(string name, TaskCompletionSource ended) : Protocol
    {
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport) => _transport = transport;

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            _transport!.Write(Encoding.UTF8.GetBytes($"{name} "));
            _transport.Write(data);
            if (data.SequenceEqual("quit"u8)) ended.TrySetResult();
            _transport.Close();
        }
    }
}
