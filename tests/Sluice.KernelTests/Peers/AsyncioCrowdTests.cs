using System.Net;
using System.Net.Sockets;
using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>One and a hundred conversations at once with CPython's asyncio, either side serving, over every kind of connection.</summary>
public sealed class AsyncioCrowdTests : IDisposable
{
    private const string Script = "asyncio_crowd.py";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("sluice-");

    public static TheoryData<SocketFamily, int> Crowds => new MatrixTheoryData<SocketFamily, int>(Enum.GetValues<SocketFamily>(), [1, 100]);

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [Case("CONN-040")]
    [MemberData(nameof(Crowds))]
    public void Our_server_converses_with_asyncio_s_clients(SocketFamily family, int count) => PeerRun.OnLoop(async loop =>
    {
        var protocols = new List<RecordingProtocol>();
        var server = await loop.CreateServerAsync(() => Answering(protocols), AddressOf(family));
        using var peer = PeerProcess.Python(Script, "connect", $"{server.EndPoints[0]}", $"{count}");

        Assert.Equal($"had {count}", await peer.ReadToEndAsync());
        server.Close();
        await server.WaitClosedAsync();

        Assert.Equal(count, protocols.Count);
        AssertConversed(protocols, "AAAABBBB"u8);
    });

    [Theory]
    [Case("CONN-040", "CONN-007")]
    [MemberData(nameof(Crowds))]
    public void Our_clients_converse_with_asyncio_s_server(SocketFamily family, int count) => PeerRun.OnLoop(async loop =>
    {
        using var peer = PeerProcess.Python(Script, "serve", $"{AddressOf(family)}", $"{count}");
        var address = ParseAddress((await peer.ReadLineAsync())["at ".Length..]);
        var protocols = new List<RecordingProtocol>();

        var connections = await Task.WhenAll(Enumerable.Range(0, count).Select(_ => loop.CreateConnectionAsync(() => Asking(protocols, count), address)));
        foreach (var protocol in protocols) await protocol.Lost;

        Assert.Equal($"had {count}", await peer.ReadToEndAsync());
        Assert.All(connections, static connection => Assert.Same(connection.Transport, connection.Protocol.Transport));
        AssertConversed(protocols, "OKSPAM"u8);
    });

    private static RecordingProtocol Answering(List<RecordingProtocol> all)
    {
        var protocol = new RecordingProtocol();
        protocol.OnData = _ =>
        {
            if (protocol.Received.Length == 4) protocol.Transport.Write("OK"u8);
            if (protocol.Received.Length == 8) protocol.Transport.Write("SPAM"u8);
        };
        all.Add(protocol);
        return protocol;
    }

    private static RecordingProtocol Asking(List<RecordingProtocol> all, int count)
    {
        var protocol = new RecordingProtocol { OnMade = static transport => transport.Write("AAAA"u8) };
        protocol.OnData = _ =>
        {
            if (protocol.Received.Length == 6) protocol.Transport.Close();
            if (protocol.Received.Length != 2 || all.Count < count || all.Exists(static other => other.Received.Length < 2)) return;

            // The last one has got its OK: everybody goes on.
            foreach (var other in all) other.Transport.Write("BBBB"u8);
        };
        all.Add(protocol);
        return protocol;
    }

    private static void AssertConversed(List<RecordingProtocol> protocols, ReadOnlySpan<byte> heard)
    {
        foreach (var protocol in protocols)
        {
            Assert.Empty(protocol.Violations);
            Assert.Equal(heard.ToArray(), protocol.Received.ToArray());
            Assert.Equal("ConnectionLost(null)", protocol.Trace[^1]);
        }
    }

    private EndPoint AddressOf(SocketFamily family)
    {
        if (EpollStage.WhyNot(family) is { } reason) Assert.Skip(reason);
        return family switch
        {
            SocketFamily.Tcp4 => new IPEndPoint(IPAddress.Loopback, 0),
            SocketFamily.Tcp6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
            _ => new UnixDomainSocketEndPoint(Path.Combine(_directory.FullName, "socket")),
        };
    }

    private static EndPoint ParseAddress(string text) => text.StartsWith('/') ? new UnixDomainSocketEndPoint(text) : IPEndPoint.Parse(text);
}
