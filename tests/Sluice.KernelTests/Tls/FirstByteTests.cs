using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Peers;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls;

/// <summary>
/// Whichever way a connection with TLS comes about, a peer that reads the socket itself sees TLS and nothing else, though the protocol writes at once.
/// </summary>
public sealed class FirstByteTests
{
    private const byte Handshake = 0x16;
    private const byte Alert = 0x15;
    private const byte ClientHello = 1;

    [Fact, Case("BUG-066")]
    public void A_client_by_host_name_begins_with_its_hello() => AsClient(static (loop, listener, options) =>
        loop.CreateConnectionAsync(Writer, "localhost", ((IPEndPoint)listener.LocalEndPoint!).Port, options with { AddressFamily = AddressFamily.InterNetwork }));

    [Fact, Case("BUG-066")]
    public void A_client_by_address_begins_with_its_hello() => AsClient(static (loop, listener, options) =>
        loop.CreateConnectionAsync(Writer, listener.LocalEndPoint!, options));

    [Fact, Case("BUG-066")]
    public void A_client_on_a_socket_of_the_caller_s_begins_with_its_hello() => AsClient(static (loop, listener, options) =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(listener.LocalEndPoint!);
        return loop.CreateConnectionAsync(Writer, socket, options);
    });

    [Fact, Case("BUG-066", "UNIX-023")]
    public void A_client_over_a_Unix_socket_begins_with_its_hello() => PeerRun.OnLoop(static async loop =>
    {
        var folder = Directory.CreateTempSubdirectory("sluice-tls-");
        try
        {
            var path = Path.Combine(folder.FullName, "socket");
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(path));
            await SniffClientAsync(listener, options => loop.CreateUnixConnectionAsync(Writer, path, options));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    });

    [Fact, Case("BUG-066")]
    public void A_server_answers_a_hello_with_TLS_and_says_nothing_before() => PeerRun.OnLoop(static async loop =>
    {
        var server = await loop.CreateServerAsync(Writer, new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = TlsParties.Server() });
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server.EndPoints[0]);
        await SniffServerAsync(client);
        server.Close();
    });

    [Fact, Case("BUG-066")]
    public void A_server_on_a_socket_of_the_caller_s_answers_with_TLS() => PeerRun.OnLoop(static async loop =>
    {
        var listening = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listening.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var server = await loop.CreateServerAsync(Writer, listening, new ServerOptions { Tls = TlsParties.Server() });
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(server.EndPoints[0]);
        await SniffServerAsync(client);
        server.Close();
    });

    [Fact, Case("BUG-066", "CONN-038")]
    public void An_accepted_socket_answers_with_TLS() => PeerRun.OnLoop(static async loop =>
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        var connecting = loop.ConnectAcceptedSocketAsync(Writer, await listener.AcceptAsync(), new AcceptedSocketOptions { Tls = TlsParties.Server() });
        await SniffServerAsync(client);
        await Assert.ThrowsAnyAsync<Exception>(() => connecting);
    });

    private static RecordingProtocol Writer() => new() { OnMade = static transport => transport.Write("in the clear"u8) };

    private static void AsClient(Func<EventLoop, Socket, ConnectionOptions, Task<(ITransport Transport, RecordingProtocol Protocol)>> connect) => PeerRun.OnLoop(async loop =>
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await SniffClientAsync(listener, options => connect(loop, listener, options));
    });

    /// <summary>Accepts the client, reads its hello, and ends: the client has said nothing else.</summary>
    private static async Task SniffClientAsync(Socket listener, Func<ConnectionOptions, Task<(ITransport Transport, RecordingProtocol Protocol)>> connect)
    {
        listener.Listen();
        var connecting = connect(new ConnectionOptions { Tls = TlsParties.Client() });
        using var peer = await listener.AcceptAsync();
        var buffer = new byte[64 * 1024];
        var received = await peer.ReceiveAsync(buffer);
        Assert.Equal(Handshake, buffer[0]);
        Assert.Equal(ClientHello, buffer[5]);
        peer.Shutdown(SocketShutdown.Send);
        received += await ReadToEndAsync(peer, buffer.AsMemory(received));

        VerifyRecords(buffer.AsSpan(0, received));
        await Assert.ThrowsAsync<SocketException>(() => connecting);
    }

    /// <summary>Says what is no hello: all that comes, if anything, is an alert.</summary>
    private static async Task SniffServerAsync(Socket client)
    {
        await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        var buffer = new byte[64 * 1024];
        VerifyRecords(buffer.AsSpan(0, await ReadToEndAsync(client, buffer)));
    }

    private static async Task<int> ReadToEndAsync(Socket socket, Memory<byte> buffer)
    {
        var filled = 0;
        try
        {
            while (await socket.ReceiveAsync(buffer[filled..]) is var count and > 0) filled += count;
        }
        catch (SocketException)
        {
        }

        return filled;
    }

    /// <summary>Whole records, each a handshake message or an alert.</summary>
    private static void VerifyRecords(ReadOnlySpan<byte> stream)
    {
        while (!stream.IsEmpty)
        {
            Assert.True(stream[0] is Handshake or Alert, $"a record of type {stream[0]}");
            Assert.Equal(3, stream[1]);
            stream = stream[(5 + (stream[3] << 8) + stream[4])..];
        }
    }
}
