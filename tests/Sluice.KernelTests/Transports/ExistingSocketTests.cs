using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Transports over sockets that the program made, and sockets that it takes from transports.</summary>
public sealed class ExistingSocketTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_socket_that_was_used_synchronously_goes_on_as_a_transport(bool isBlocking)
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            var (near, far) = SocketPairs.Create();
            using var peer = far;
            near.Send("by hand, "u8);
            far.Send("greeting"u8);
            Assert.Equal("greet"u8.ToArray(), Bytes.ReceiveExactly(near, 5));
            near.Blocking = isBlocking;

            var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), near);
            await protocol.WaitForBytesAsync(3);
            transport.Write("by loop"u8);
            transport.Close();
            near.Dispose();
            await protocol.Lost;

            Assert.Equal("ing"u8.ToArray(), protocol.Received);
            Assert.Equal("by hand, by loop"u8.ToArray(), Bytes.ReceiveExactly(far, 16));
            Assert.Equal(0, far.Receive(new byte[1]));
        });
    }

    [Fact]
    public void What_is_no_connected_stream_is_refused_at_the_call_and_stays_the_callers()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(() =>
        {
            using var unconnected = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            using var datagram = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            foreach (var socket in (Socket[])[unconnected, datagram])
            {
                Assert.Throws<ArgumentException>(() => { _ = loop.CreateConnectionAsync(() => new RecordingProtocol(), socket); });
                socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            }

            return Task.CompletedTask;
        });
    }

    [Fact, Case("TCP-073")]
    public void A_duplicate_is_a_socket_of_its_own_that_outlives_the_transport()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            var (near, far) = SocketPairs.Create();
            using var peer = far;
            var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), near);
            using var duplicate = transport.GetExtraInfo(ExtraInfo.Socket)!.Duplicate();
            Assert.NotEqual(transport.GetExtraInfo(ExtraInfo.Socket)!.Handle, duplicate.Handle);

            transport.Abort();
            await protocol.Lost;
            far.Send("for the duplicate"u8);

            Assert.Equal("for the duplicate"u8.ToArray(), Bytes.ReceiveExactly(duplicate, 17));
        });
    }

    [Fact, Case("TCP-059")]
    public void A_connection_that_was_shut_down_through_a_duplicate_still_ends_in_order()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            foreach (var closes in (bool[])[true, false])
            {
                var (near, far) = SocketPairs.Create();
                using var peer = far;
                var (transport, protocol) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), near);
                using (var duplicate = transport.GetExtraInfo(ExtraInfo.Socket)!.Duplicate()) duplicate.Shutdown(SocketShutdown.Both);

                if (closes) transport.Close();

                Assert.Null(await protocol.Lost);
                Assert.Empty(protocol.Violations);
            }
        });
    }

    [Fact, Case("TCP-061")]
    public void A_transport_can_be_printed_after_its_loop_has_ended()
    {
        ITransport? transport = null;
        using (var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll }))
        {
            loop.RunUntilComplete(async () =>
            {
                var server = await loop.CreateServerAsync(() => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, 0));
                (transport, _) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), server.EndPoints[0]);
            });
        }

        Assert.Contains("127.0.0.1", transport!.ToString());
        Assert.NotNull(transport.GetExtraInfo(ExtraInfo.PeerName));
        Assert.True(transport.IsClosing);
    }
}
