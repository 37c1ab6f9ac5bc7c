using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Peers;
using Sluice.Primitives;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Servers on sockets of the program's: what the call checks, what becomes of the Socket and its options.</summary>
public sealed class ExistingListenerTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact, Case("SRV-011", "UNIX-005")]
    public void What_is_no_bound_stream_socket_is_refused_at_the_call_and_stays_the_callers() => PeerRun.OnLoop(loop =>
    {
        using var datagram = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var unixDatagram = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        using var unbound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var unbound6 = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var (connected, other) = SocketPair.Create();
        using var internet = Bound();
        using (connected)
        using (other)
        {
            datagram.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            foreach (var socket in (Socket[])[datagram, unixDatagram, unbound, unbound6, connected])
            {
                Assert.Throws<ArgumentException>(() => { _ = loop.CreateServerAsync(() => new RecordingProtocol(), socket); });
                Assert.Throws<ArgumentException>(() => { _ = loop.CreateUnixServerAsync(() => new RecordingProtocol(), socket); });
            }

            Assert.Throws<ArgumentException>(() => { _ = loop.CreateUnixServerAsync(() => new RecordingProtocol(), internet); });
            Assert.Throws<ArgumentNullException>(() => { _ = loop.CreateServerAsync(() => new RecordingProtocol(), (Socket)null!); });
            foreach (var socket in (Socket[])[datagram, unbound, connected, internet]) Assert.False(socket.SafeHandle.IsClosed);
        }

        var disposed = Bound();
        disposed.Dispose();
        Assert.Throws<ObjectDisposedException>(() => { _ = loop.CreateServerAsync(() => new RecordingProtocol(), disposed); });
        return Task.CompletedTask;
    });

    [Fact, Case("SRV-013", "BUG-013")]
    public void A_TCP_listener_is_taken_over_with_what_waits_in_it_and_never_lingers() => PeerRun.OnLoop(async loop =>
    {
        var socket = Bound();
        socket.Listen(7);
        var address = socket.LocalEndPoint!;
        var (_, early) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), address);

        await using var server = await loop.CreateServerAsync(RecordingProtocol.Echo, socket);

        Assert.Equal(address, server.EndPoints[0]);
        Assert.True(socket.SafeHandle.IsClosed);
        using (var duplicate = server.Sockets[0].Duplicate()) Assert.False(duplicate.LingerState!.Enabled);
        early.Transport.Write("early"u8);
        await early.WaitForBytesAsync(5);
        early.Transport.Close();
        Assert.Null(await early.Lost);
    });

    [Fact, Case("UNIX-017", "BUG-079")]
    public void The_file_of_a_socket_that_was_handed_over_and_forgotten_outlives_the_collector() => PeerRun.OnLoop(async loop =>
    {
        var path = Path.Combine(_folder.FullName, "socket");
        await using var server = await ServeForgottenAsync(loop, path);
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        var (transport, client) = await loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), path);
        transport.Close();
        Assert.Null(await client.Lost);
        server.Close();
        Assert.False(File.Exists(path));
    });

    [Fact, Case("SRV-013")]
    public async Task It_can_be_handed_over_from_another_thread()
    {
        await using var loop = EventLoop.Start(new EventLoopOptions { Backend = LoopBackend.Epoll });
        var server = await loop.CreateServerAsync(RecordingProtocol.Echo, Bound());
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
        await client.ConnectAsync(server.EndPoints[0], TestContext.Current.CancellationToken);
        client.Send("hello"u8);
        Assert.Equal("hello"u8.ToArray(), Bytes.ReceiveExactly(client, 5));
    }

    [Fact, Case("BUG-037")]
    public void A_connection_whose_options_cannot_be_set_is_spared_and_the_listener_goes_on()
    {
        var system = new FaultySyscalls();
        using var bench = new KernelBench(system);
        using var socket = Bound();
        socket.Listen();
        var sink = new RecordingListenSink();
        var listener = bench.Backend.AdoptListener(socket.SafeHandle, ListenerOwnership.Borrowed, new ServerOptions { KeepAlive = true }, sink);
        listener.StartAccepting();

        system.SetOptionError = IoError.InvalidArgument;
        bench.Dial(listener.LocalName);
        bench.PollUntil(() => sink.Accepted.Count == 1);
        system.SetOptionError = IoError.None;
        bench.Dial(listener.LocalName);
        bench.PollUntil(() => sink.Accepted.Count == 2);

        Assert.Equal(0, OptionOf(0, SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.NotEqual(0, OptionOf(1, SocketOptionLevel.Socket, SocketOptionName.KeepAlive));
        Assert.NotEqual(0, OptionOf(1, SocketOptionLevel.Tcp, SocketOptionName.NoDelay));
        Assert.Equal(0, listener.Socket!.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive));

        int OptionOf(int connection, SocketOptionLevel level, SocketOptionName name) => sink.Accepted[connection].Socket!.GetSocketOption(level, name);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Task<Server> ServeForgottenAsync(EventLoop loop, string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        return loop.CreateUnixServerAsync(RecordingProtocol.Echo, socket);
    }

    private static Socket Bound()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket;
    }
}
