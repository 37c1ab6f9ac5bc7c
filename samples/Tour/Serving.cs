using System.Net;
using Sluice;

namespace Tour;

/// <summary>Keeps two echo servers up for other programs, and prints what happens to them, until Ctrl+C.</summary>
internal static class Serving
{
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(EventLoop loop, int port, CancellationToken interrupted)
    {
        var path = Path.Combine(Path.GetTempPath(), $"sluice-tour-{Environment.ProcessId}.sock");
        var transcript = new Transcript();
        var tcp = await loop.CreateServerAsync(
            () => new Echo(transcript, "tcp"), new IPEndPoint(IPAddress.Loopback, port), null, interrupted);
        await loop.CreateUnixServerAsync(() => new Echo(transcript, "unix"), path, null, interrupted);
        Console.WriteLine("Two echo servers. In another terminal type one of these, then a few lines, then Ctrl+D:");
        Console.WriteLine($"   nc -N 127.0.0.1 {((IPEndPoint)tcp.EndPoints[0]).Port}");
        Console.WriteLine($"   nc -N -U {path}");
        Console.WriteLine("Ctrl+C ends it.");

        var stopped = loop.CreateFuture();
        using var registration = interrupted.Register(stopped.SetResult);
        await stopped.Task;

        // Both servers, their connections and the socket's file go with the loop.
        Console.WriteLine("Stopped");
        return 0;
    }

    private sealed class Echo(Transcript transcript, string who) : Protocol
    {
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            transcript.Callback(who, "ConnectionMade", $"{transport.GetExtraInfo(ExtraInfo.PeerName)}");
        }

        public override void DataReceived(ReadOnlySpan<byte> data)
        {
            transcript.Callback(who, "DataReceived", $"{data.Length} bytes");
            _transport!.Write(data);
        }

        // A peer that does not read its echo is not read from either, until it does.
        public override void PauseWriting() => _transport!.PauseReading();

        public override void ResumeWriting() => _transport!.ResumeReading();

        public override bool EofReceived()
        {
            transcript.Callback(who, "EofReceived", "returns false: close too");
            return false;
        }

        public override void ConnectionLost(Exception? exception) => transcript.Callback(who, "ConnectionLost", Transcript.Describe(exception));
    }
}
