using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Connecting;

/// <summary>Real sockets that the program has accepted, connected or closed itself.</summary>
public sealed class ConnectedSocketTests
{
    [Theory, Case("CONN-011", "CONN-037")]
    [EachFamily]
    public void A_socket_that_the_program_accepted_is_served(Family family)
    {
        var folder = Directory.CreateTempSubdirectory("sluice-");
        EndPoint address = family switch
        {
            Family.IPv4 => new IPEndPoint(IPAddress.Loopback, 0),
            Family.IPv6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
            _ => new UnixDomainSocketEndPoint(Path.Combine(folder.FullName, "socket")),
        };
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            using var listener = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(address);
            listener.Listen();
            using var client = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
            client.Connect(listener.LocalEndPoint!);
            var accepted = listener.Accept();

            var (transport, server) = await loop.ConnectAcceptedSocketAsync(() => new RecordingProtocol(), accepted);
            client.Send("test data"u8);
            await server.WaitForBytesAsync(9);
            transport.Write("roger"u8);
            client.Shutdown(SocketShutdown.Send);
            Assert.Null(await server.Lost);

            Assert.Equal("test data"u8.ToArray(), server.Received);
            Assert.Equal("roger"u8.ToArray(), Bytes.ReceiveExactly(client, 5));
            Assert.Equal(0, client.Receive(new byte[1]));
        });
        folder.Delete(recursive: true);
    }

    [Fact, Case("CONN-041")]
    public void A_connect_that_meets_itself_is_refused()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            // The port is this test's while its server has it; nobody listens there on the other loopback address.
            var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
            var dead = new IPEndPoint(IPAddress.Parse("127.88.41.1"), ((IPEndPoint)server.EndPoints[0]).Port);

            var refused = await Assert.ThrowsAsync<SocketException>(
                () => loop.CreateConnectionAsync(static () => new RecordingProtocol(), dead, new ConnectionOptions { LocalEndPoint = dead }));

            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            Assert.Equal($"connect to {dead}: Connection refused", refused.Message);
        });
    }

    [Fact, Case("CONN-011")]
    public void A_Unix_socket_is_taken_by_the_method_for_Unix_sockets_and_a_TCP_one_is_not()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            Assert.Throws<ArgumentException>(() => { _ = loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), tcp); });

            var (near, far) = SocketPair.Create();
            using var peer = far;
            var (transport, protocol) = await loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), near);
            transport.Write("hello"u8);
            transport.Close();
            await protocol.Lost;
            Assert.Equal("hello"u8.ToArray(), Bytes.ReceiveExactly(far, 5));
        });
    }

    [Fact, Case("CONN-012")]
    public void A_socket_that_was_closed_or_is_taken_already_is_refused_at_the_call()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            var (near, far) = SocketPair.Create();
            far.Dispose();
            Assert.Throws<ObjectDisposedException>(() => { _ = loop.CreateConnectionAsync(() => new RecordingProtocol(), far); });

            var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), near);
            Assert.Throws<ObjectDisposedException>(() => { _ = loop.CreateConnectionAsync(() => new RecordingProtocol(), near); });
            transport.Abort();
            await protocol.Lost;
        });
    }

    [Fact]
    public void Probing_that_was_on_stays_on_where_the_options_do_not_ask_for_it()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.Connect(listener.LocalEndPoint!);

            var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), socket);

            Assert.Equal(1, transport.GetExtraInfo(ExtraInfo.Socket)!.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
            transport.Abort();
            await protocol.Lost;
        });
    }
}
