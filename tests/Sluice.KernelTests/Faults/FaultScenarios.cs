using System.Net;
using System.Net.Sockets;
using Sluice.Backends.Linux.Addresses;
using Sluice.Native;
using Sluice.Testing;

namespace Sluice.KernelTests.Faults;

/// <summary>Small programs that use every call site of the backend. Each ends well or with the exception of one of its calls.</summary>
internal static class FaultScenarios
{
    private static readonly byte[] Message = new byte[100_000];

    /// <summary>By name; each gets its loop and a folder of its own.</summary>
    public static IReadOnlyDictionary<string, Func<EventLoop, string, Task>> All { get; } = new Dictionary<string, Func<EventLoop, string, Task>>
    {
        ["IPv4"] = static (loop, _) => ExchangeAsync(loop, new IPEndPoint(IPAddress.Loopback, 0)),
        ["IPv6"] = static (loop, _) => ExchangeAsync(loop, new IPEndPoint(IPAddress.IPv6Loopback, 0)),
        ["every address, every option"] = ServeEverywhereAsync,
        ["a local address, the second of two"] = ConnectInTurnAsync,
        ["Unix"] = static (loop, folder) => ExchangeAsync(loop, new UnixDomainSocketEndPoint(Path.Combine(folder, "socket"))),
        ["a stale Unix path"] = ReplaceStaleAsync,
        ["a Unix socket for everyone"] = ServeEveryoneAsync,
        ["existing sockets"] = AdoptAsync,
        ["an existing listener"] = AdoptListenerAsync,
        ["a file"] = SendFileAsync,
        ["aborts"] = AbortAsync,
        ["nobody listens"] = FindNobodyAsync,
        ["UDP over IPv4"] = static (loop, _) => DatagramFaultScenarios.ExchangeAsync(loop, new IPEndPoint(IPAddress.Loopback, 0)),
        ["UDP over IPv6"] = static (loop, _) => DatagramFaultScenarios.ExchangeAsync(loop, new IPEndPoint(IPAddress.IPv6Loopback, 0)),
        ["multicast and broadcast"] = static (loop, _) => DatagramFaultScenarios.SendToManyAsync(loop),
        ["Unix datagrams"] = DatagramFaultScenarios.ExchangeByPathAsync,
        ["an existing datagram socket"] = static (loop, _) => DatagramFaultScenarios.AdoptAsync(loop),
        ["children"] = static (loop, _) => SubprocessScenarios.ExchangeAsync(loop),
        ["a child that is closed"] = static (loop, _) => SubprocessScenarios.CloseAsync(loop),
        ["pipes"] = static (loop, _) => PipeScenarios.ExchangeAsync(loop),
        ["a socket and a device as pipes"] = static (loop, _) => PipeScenarios.UseOthersAsync(loop),
    };

    private static async Task ExchangeAsync(EventLoop loop, EndPoint address) =>
        await ExchangeAsync(loop, await loop.CreateServerAsync(RecordingProtocol.Echo, address));

    private static async Task ExchangeAsync(EventLoop loop, Server server)
    {
        var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), ReachableAt(server.EndPoints[0]));
        transport.Write(Message);
        await Task.WhenAny(protocol.WaitForBytesAsync(Message.Length), protocol.Lost);
        transport.Close();
        await protocol.Lost;
        server.Close();
        await server.WaitClosedAsync();
    }

    private static async Task ServeEverywhereAsync(EventLoop loop, string folder)
    {
        var options = new ServerOptions { KeepAlive = true, ReusePort = true };
        var server = await loop.CreateServerAsync(RecordingProtocol.Echo, host: null, 0, options);
        await ExchangeAsync(loop, server);
    }

    private static async Task ConnectInTurnAsync(EventLoop loop, string folder)
    {
        var server = await loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(IPAddress.Loopback, 0));
        var port = ((IPEndPoint)server.EndPoints[0]).Port;

        // Nobody listens at ::1, where nothing local fits either.
        var options = new ConnectionOptions { KeepAlive = true, LocalEndPoint = new IPEndPoint(IPAddress.Loopback, 0) };
        var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), host: null, port, options);
        transport.Close();
        await protocol.Lost;
        (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), host: null, port);
        transport.Close();
        await protocol.Lost;
        await server.DisposeAsync();
    }

    private static async Task ReplaceStaleAsync(EventLoop loop, string folder)
    {
        var address = new UnixDomainSocketEndPoint(Path.Combine(folder, "stale"));
        LeaveStaleFile(address);
        await ExchangeAsync(loop, address);
    }

    private static async Task ServeEveryoneAsync(EventLoop loop, string folder)
    {
        const UnixFileMode Everyone = (UnixFileMode)0b110_110_110;
        var options = new ServerOptions { UnixSocketMode = Everyone, UnixPeerFilter = static _ => true };
        await ExchangeAsync(loop, await loop.CreateUnixServerAsync(RecordingProtocol.Echo, Path.Combine(folder, "socket"), options));
    }

    private static async Task AdoptListenerAsync(EventLoop loop, string folder)
    {
        var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        unix.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "socket")));
        await ExchangeAsync(loop, await loop.CreateUnixServerAsync(RecordingProtocol.Echo, unix));
        var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        tcp.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await ExchangeAsync(loop, await loop.CreateServerAsync(RecordingProtocol.Echo, tcp));
    }

    private static EndPoint ReachableAt(EndPoint address) =>
        address is IPEndPoint ip && ip.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, ip.Port) : address;

    // As a process does that dies: a Socket of .NET would remove its file.
    public static void LeaveStaleFile(EndPoint address)
    {
        var dead = Syscalls.System.StreamSocket(SocketConstants.FamilyUnix, out _);
        Syscalls.System.Bind(dead, EndPointBytes.Of(address));
        Syscalls.System.Close(dead);
    }

    private static async Task AdoptAsync(EventLoop loop, string folder)
    {
        var (first, second) = SocketPair.Create();
        using (first)
        using (second)
        {
            var (near, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), first);
            var (far, _) = await loop.CreateConnectionAsync(RecordingProtocol.Echo, second);
            near.Write("hello"u8);
            await Task.WhenAny(protocol.WaitForBytesAsync(5), protocol.Lost);
            near.Close();
            far.Close();
            await protocol.Lost;
        }
    }

    private static async Task SendFileAsync(EventLoop loop, string folder)
    {
        var path = Path.Combine(folder, "file");
        await File.WriteAllBytesAsync(path, new byte[2_500_000]);
        await using var file = File.OpenRead(path);
        var served = new RecordingProtocol();
        var server = await loop.CreateServerAsync(() => served, new IPEndPoint(IPAddress.Loopback, 0));
        var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
        try
        {
            await loop.SendFileAsync(transport, file);
        }
        catch (Exception exception) when (exception is SocketException or IOException or InvalidOperationException)
        {
            // The connection broke, perhaps before the file's turn; or the disk, and then the connection lives.
        }

        transport.Close();
        await protocol.Lost;
        if (served.Record.Made.IsCompleted) await served.Lost;
        Assert.Equal(served.Received.Length, served.Received.ToArray().Count(static value => value == 0));
        Assert.True(file.Position >= served.Received.Length);
        server.Close();
        await server.WaitClosedAsync();
    }

    private static async Task AbortAsync(EventLoop loop, string folder)
    {
        var served = new RecordingProtocol();
        var server = await loop.CreateServerAsync(() => served, new IPEndPoint(IPAddress.Loopback, 0));
        var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
        transport.Write("hello"u8);
        transport.Abort();
        await protocol.Lost;
        server.AbortClients();
        await server.DisposeAsync();
    }

    private static async Task FindNobodyAsync(EventLoop loop, string folder)
    {
        var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
        var address = server.EndPoints[0];
        await server.DisposeAsync();
        await Assert.ThrowsAsync<SocketException>(() => loop.CreateConnectionAsync(static () => new RecordingProtocol(), address));
    }
}
