using System.Net;
using System.Security.Cryptography;
using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>One loop over epoll and one connection on it, for tests against other programs.</summary>
internal static class PeerRun
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The mebibyte that the scripts send and expect.</summary>
    public static readonly byte[] Mebibyte = [.. Enumerable.Range(0, 1 << 20).Select(static i => (byte)((i * 31) ^ (i >> 8)))];

    /// <summary>The line in which a script reports that it has received just these bytes.</summary>
    public static string Received(ReadOnlySpan<byte> data) => $"received {data.Length} {Convert.ToHexString(SHA256.HashData(data))}";

    /// <summary>Runs a test on a loop, for a while at most.</summary>
    public static void OnLoop(Func<EventLoop, Task> test) =>
        EventLoop.Run(loop => test(loop).WaitAsync(Patience, loop.TimeProvider), new EventLoopOptions { Backend = LoopBackend.Epoll });

    /// <summary>Serves the one connection of a peer with a protocol, until that is lost.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="start">Starts the peer, given the port.</param>
    /// <param name="talk">Uses the peer's input and output, if anyone does.</param>
    /// <returns>What the peer printed after that.</returns>
    public static async Task<string> ServeAsync(
        EventLoop loop, RecordingProtocol protocol, Func<int, PeerProcess> start, Func<PeerProcess, Task>? talk = null)
    {
        var server = await loop.CreateServerAsync(() => protocol, new IPEndPoint(IPAddress.Loopback, 0));
        using var peer = start(((IPEndPoint)server.EndPoints[0]).Port);
        if (talk is not null) await talk(peer);
        var output = await peer.ReadToEndAsync();
        await protocol.Lost;
        server.Close();
        Assert.Empty(protocol.Violations);
        return output;
    }

    /// <summary>Connects a protocol to a script that serves, and waits until both are done.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="peer">The peer.</param>
    /// <returns>What the peer printed besides its port.</returns>
    public static async Task<string> ConnectAsync(EventLoop loop, RecordingProtocol protocol, PeerProcess peer)
    {
        var port = await peer.ReadPortAsync();
        await loop.CreateConnectionAsync(() => protocol, new IPEndPoint(IPAddress.Loopback, port));
        await protocol.Lost;
        Assert.Empty(protocol.Violations);
        return await peer.ReadToEndAsync();
    }
}
