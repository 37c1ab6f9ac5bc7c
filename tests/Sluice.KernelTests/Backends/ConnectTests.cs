using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>Connections that the backend opens or takes over.</summary>
public sealed class ConnectTests : IDisposable
{
    private readonly FaultySyscalls _system = new();
    private readonly KernelBench _bench;

    public ConnectTests() => _bench = new KernelBench(_system);

    public void Dispose() => _bench.Dispose();

    [Theory]
    [EachFamily]
    public void A_connect_gives_a_channel_that_carries_bytes_both_ways(Family family)
    {
        var (listener, accepted) = _bench.Listen(_bench.NewAddress(family));
        var connect = new RecordingConnectSink();
        _bench.Backend.Connect(null, listener.LocalName, ConnectionOptions.Default, connect);
        Assert.False(connect.IsDone);
        _bench.PollUntil(() => connect.IsDone && accepted.Accepted.Count == 1);
        Assert.Equal(listener.LocalName.ToString(), connect.Channel!.PeerName!.ToString());

        var (client, server) = (new RecordingStreamSink(), new RecordingStreamSink());
        connect.Channel.Attach(client);
        accepted.Accepted[0].Attach(server);
        connect.Channel.StartReading();
        accepted.Accepted[0].StartReading();
        connect.Channel.TryWrite(default, "ping"u8, out _);
        accepted.Accepted[0].TryWrite(default, "pong"u8, out _);
        _bench.PollUntil(() => client.Received.Length == 4 && server.Received.Length == 4);
        Assert.Equal("pong"u8.ToArray(), client.Received);
        Assert.Equal("ping"u8.ToArray(), server.Received);
    }

    [Theory]
    [EachFamily]
    public void A_refused_connect_is_reported_from_Poll_and_leaves_nothing_open(Family family)
    {
        var address = _bench.NewAddress(family);
        var listener = _bench.Backend.Listen(address, ServerOptions.Default, new RecordingListenSink());
        var refuser = listener.LocalName;
        var closed = _system.Closed.Count;
        var connect = new RecordingConnectSink();
        _bench.Backend.Connect(null, refuser, ConnectionOptions.Default, connect);
        Assert.False(connect.IsDone);
        _bench.PollUntil(() => connect.IsDone);
        Assert.Equal(IoError.ConnectionRefused, connect.Failure);
        Assert.Equal(ConnectStep.Connect, connect.FailedStep);
        Assert.Equal(closed + 1, _system.Closed.Count);
    }

    [Fact]
    public void A_connect_without_a_descriptor_to_spare_fails_from_Poll()
    {
        _system.DescriptorsLeft = 0;
        var connect = new RecordingConnectSink();
        _bench.Backend.Connect(null, _bench.NewAddress(Family.IPv4), ConnectionOptions.Default, connect);
        Assert.False(connect.IsDone);
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        Assert.Equal(IoError.TooManyFiles, connect.Failure);
        Assert.Equal(ConnectStep.Socket, connect.FailedStep);
    }

    [Fact]
    public void A_local_address_is_bound()
    {
        var (listener, accepted) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var local = new IPEndPoint(IPAddress.Parse("127.0.0.9"), 0);
        _bench.Backend.Connect(local, listener.LocalName, ConnectionOptions.Default, new RecordingConnectSink());
        _bench.PollUntil(() => accepted.Accepted.Count == 1);
        Assert.Equal(local.Address, ((IPEndPoint)accepted.Accepted[0].PeerName!).Address);
    }

    [Fact, Case("BUG-043")]
    public void A_connect_that_fails_at_any_step_leaves_nothing_open()
    {
        var (listener, _) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        foreach (var (fail, step) in new (Action<FaultySyscalls>, ConnectStep)[]
        {
            (static system => system.DescriptorsLeft = 0, ConnectStep.Socket),
            (static system => system.BindError = IoError.NoBufferSpace, ConnectStep.Bind),
            (static system => system.ConnectError = IoError.HostUnreachable, ConnectStep.Connect),
            (static system => system.EpollAddError = IoError.OutOfMemory, ConnectStep.Connect),
        })
        {
            var closed = _system.Closed.Count;
            fail(_system);
            var connect = new RecordingConnectSink();
            _bench.Backend.Connect(_bench.NewAddress(Family.IPv4), listener.LocalName, ConnectionOptions.Default, connect);
            Assert.False(connect.IsDone);
            _bench.PollUntil(() => connect.IsDone);
            Assert.Equal(step, connect.FailedStep);
            _system.DescriptorsLeft = int.MaxValue;
            (_system.BindError, _system.ConnectError, _system.EpollAddError) = (IoError.None, IoError.None, IoError.None);
            Assert.Empty(_system.CloseErrors);
            Assert.Equal(closed + (step == ConnectStep.Socket ? 0 : 1), _system.Closed.Count);
        }
    }

    [Fact, Case("CONN-024")]
    public void A_local_address_that_cannot_be_bound_fails_from_Poll_and_leaves_nothing_open()
    {
        var (listener, _) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        foreach (var (local, expected) in new (EndPoint, IoError)[]
        {
            (listener.LocalName, IoError.AddressInUse),
            (new IPEndPoint(IPAddress.Parse("192.0.2.1"), 0), IoError.AddressNotAvailable),
        })
        {
            var closed = _system.Closed.Count;
            var connect = new RecordingConnectSink();
            _bench.Backend.Connect(local, listener.LocalName, ConnectionOptions.Default, connect);
            Assert.False(connect.IsDone);
            _bench.PollUntil(() => connect.IsDone);
            Assert.Equal(expected, connect.Failure);
            Assert.Equal(ConnectStep.Bind, connect.FailedStep);
            Assert.Equal(closed + 1, _system.Closed.Count);
        }
    }

    [Theory, Case("BUG-044", "BUG-045")]
    [EachFamily]
    public void A_cancelled_connect_closes_its_socket_at_once_and_reports_nothing(Family family)
    {
        var (listener, _) = _bench.Listen(_bench.NewAddress(family));
        var connect = new RecordingConnectSink();
        var operation = _bench.Backend.Connect(null, listener.LocalName, ConnectionOptions.Default, connect);
        var closed = _system.Closed.Count;
        operation.Cancel();
        operation.Cancel();
        Assert.Equal(closed + 1, _system.Closed.Count);
        _bench.PollIdle();
        Assert.False(connect.IsDone);
    }

    [Fact]
    public void An_address_that_is_no_address_is_refused_at_the_call() =>
        Assert.Throws<ArgumentException>(
            () => _bench.Backend.Connect(null, new DnsEndPoint("localhost", 1), ConnectionOptions.Default, new RecordingConnectSink()));

    [Fact]
    public void A_socket_that_is_taken_over_carries_bytes_and_its_former_owner_cannot_close_it()
    {
        var (listener, accepted) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var socket = _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => accepted.Accepted.Count == 1);
        var channel = _bench.Backend.Adopt(socket.SafeHandle, ConnectionOptions.Default);
        socket.Dispose();
        accepted.Accepted[0].TryWrite(default, "hello"u8, out _);
        var sink = new RecordingStreamSink();
        channel.Attach(sink);
        channel.StartReading();
        _bench.PollUntil(() => sink.Received.Length == 5);
        Assert.Equal(listener.LocalName, channel.PeerName);
        using var duplicate = channel.Socket!.Duplicate();
        Assert.False(duplicate.LingerState!.Enabled);
    }

    [Fact]
    public void One_end_of_a_pair_can_be_taken_over()
    {
        var (near, far) = SocketPairs.Create();
        using var peer = far;
        var channel = _bench.Backend.Adopt(near.SafeHandle, ConnectionOptions.Default);
        channel.TryWrite(default, "hello"u8, out _);
        Assert.Equal("hello"u8.ToArray(), Bytes.ReceiveExactly(peer, 5));
        Assert.Null(channel.PeerName);
    }

    [Fact]
    public void What_is_no_connected_stream_is_refused_and_closed()
    {
        var unconnected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        var datagram = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        var file = File.OpenHandle("/dev/null");
        foreach (var (handle, expected) in new (System.Runtime.InteropServices.SafeHandle, SocketError)[]
        {
            (unconnected.SafeHandle, SocketError.NotConnected),
            (datagram.SafeHandle, SocketError.SocketNotSupported),
            (file, SocketError.NotSocket),
        })
        {
            var closed = _system.Closed.Count;
            var exception = Assert.Throws<SocketException>(() => _bench.Backend.Adopt(handle, ConnectionOptions.Default));
            Assert.Equal(expected, exception.SocketErrorCode);
            Assert.True(handle.IsClosed);
            Assert.Equal(closed + 1, _system.Closed.Count);
        }
    }

    [Fact, Case("DNS-001")]
    public void Names_are_resolved_and_reported_from_Poll()
    {
        var sink = new RecordingLookupSink<IReadOnlyList<IPAddress>>();
        var literal = new RecordingLookupSink<IReadOnlyList<IPAddress>>();
        var foreign = new RecordingLookupSink<IReadOnlyList<IPAddress>>();
        var cancelled = new RecordingLookupSink<IReadOnlyList<IPAddress>>();
        _bench.Backend.Resolve("localhost", AddressFamily.Unspecified, sink);
        _bench.Backend.Resolve("127.0.0.1", AddressFamily.InterNetwork, literal);
        _bench.Backend.Resolve("127.0.0.1", AddressFamily.InterNetworkV6, foreign);
        _bench.Backend.Resolve("127.0.0.1", AddressFamily.Unspecified, cancelled).Cancel();
        Assert.False(literal.IsDone);
        _bench.PollUntil(() => sink.IsDone && literal.IsDone && foreign.IsDone);
        Assert.Contains(sink.Answer!, IPAddress.IsLoopback);
        Assert.Equal([IPAddress.Loopback], literal.Answer!);
        Assert.Equal(SocketError.HostNotFound, Assert.IsType<SocketException>(foreign.Failure).SocketErrorCode);
        Assert.False(cancelled.IsDone);
    }

    [Fact, Case("DNS-007")]
    public void Addresses_are_named_and_reported_from_Poll()
    {
        var sink = new RecordingLookupSink<string>();
        var nobody = new RecordingLookupSink<string>();
        _bench.Backend.Reverse(IPAddress.Loopback, sink);
        _bench.Backend.Reverse(IPAddress.Any, nobody);
        Assert.False(nobody.IsDone);
        _bench.PollUntil(() => sink.IsDone && nobody.IsDone);
        Assert.Equal(Dns.GetHostEntry(IPAddress.Loopback).HostName, sink.Answer);
        Assert.Equal(SocketError.HostNotFound, Assert.IsType<SocketException>(nobody.Failure).SocketErrorCode);
    }

    [Fact, Case("DNS-003")]
    public void A_name_that_cannot_exist_fails()
    {
        var sink = new RecordingLookupSink<IReadOnlyList<IPAddress>>();
        _bench.Backend.Resolve(new string('x', 300), AddressFamily.Unspecified, sink);
        _bench.PollUntil(() => sink.IsDone);
        Assert.NotNull(sink.Failure);
    }

    [Fact]
    public void A_backend_that_cannot_be_set_up_leaves_nothing_open()
    {
        for (var descriptors = 0; descriptors < 2; descriptors++)
        {
            var system = new FaultySyscalls { DescriptorsLeft = descriptors };
            Assert.Throws<SocketException>(() => new Sluice.Backends.Epoll.EpollBackend(system));
            Assert.Equal(descriptors, system.Closed.Count);
        }
    }
}
