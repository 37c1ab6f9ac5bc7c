using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Transports over epoll whose peers, ordinary sockets, end in ways that a transport would not choose.</summary>
public sealed class PeerEndTests
{
    private static readonly IPEndPoint AnyPort = new(IPAddress.Loopback, 0);

    private static int EndingPeers => int.TryParse(Environment.GetEnvironmentVariable("SLUICE_SOAK_ENDS"), out var count) ? count : 1_000;

    [Fact, Case("BUG-017")]
    public void Bytes_that_come_together_with_the_end_are_all_delivered()
    {
        var message = Bytes.Pattern(50_000);
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            RecordingProtocol? served = null;
            var server = await loop.CreateServerAsync(() => served = new RecordingProtocol(), AnyPort);
            for (var i = 0; i < EndingPeers; i++)
            {
                // Sent and closed before the server has accepted: data, end and hang-up are all there at once.
                using (var peer = Dial(server.EndPoints[0])) peer.Send(message, i % message.Length, message.Length - (i % message.Length), SocketFlags.None);
                while (served is null) await Task.Yield();
                Assert.Null(await served.Lost);
                Assert.True(message.AsSpan(i % message.Length).SequenceEqual(served.Received));
                Assert.Equal(["ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)"], served.Record.Shape);
                served = null;
            }

            server.Close();
        });
    }

    [Fact, Case("BUG-036", "BUG-037")]
    public void Connections_that_were_reset_before_they_are_accepted_harm_only_themselves()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            var reports = new List<ExceptionContext>();
            loop.ExceptionHandler = (_, report) => reports.Add(report);
            var served = new List<RecordingProtocol>();
            var server = await loop.CreateServerAsync(
                () =>
                {
                    served.Add(RecordingProtocol.Echo());
                    return served[^1];
                },
                new IPEndPoint(IPAddress.Any, 0));
            var address = new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)server.EndPoints[0]).Port);
            for (var i = 0; i < 30; i++)
            {
                using var dead = Dial(address);
                dead.LingerState = new LingerOption(true, 0);
            }

            var (transport, client) = await loop.CreateConnectionAsync(() => new RecordingProtocol(), address);
            transport.Write("alive"u8);
            await client.WaitForBytesAsync(5);
            transport.Close();
            server.Close();
            await server.WaitClosedAsync();

            Assert.All(served, static protocol => Assert.Empty(protocol.Violations));
            Assert.Empty(reports);
        });
    }

    [Fact, Case("BUG-018")]
    public void A_half_open_connection_with_a_full_buffer_lets_the_loop_sleep()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            var served = new RecordingProtocol { OnEof = static () => true };
            var server = await loop.CreateServerAsync(() => served, AnyPort);
            using var peer = Dial(server.EndPoints[0]);
            await served.Made;
            peer.Shutdown(SocketShutdown.Send);
            await served.WaitForEofAsync();
            while (!served.Record.IsWritingPaused)
            {
                served.Transport.Write(new byte[1024 * 1024]);
                await Task.Delay(TimeSpan.FromMilliseconds(10), loop.TimeProvider);
            }

            var before = loop.Core.Backend.Wakeups;
            await Task.Delay(TimeSpan.FromMilliseconds(300), loop.TimeProvider);

            // The timer's own, its continuation's, and the few segments that the kernel still moves.
            Assert.InRange(loop.Core.Backend.Wakeups - before, 1, 5);
            served.Transport.Abort();
            server.Close();
            await server.WaitClosedAsync();
        });
    }

    [Fact, Case("BUG-018")]
    public void Paused_connections_whose_peers_reset_them_let_the_loop_sleep()
    {
        using var loop = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        loop.RunUntilComplete(async () =>
        {
            var served = new List<RecordingProtocol>();
            var server = await loop.CreateServerAsync(
                () =>
                {
                    served.Add(new RecordingProtocol { OnMade = static transport => transport.PauseReading() });
                    return served[^1];
                },
                AnyPort);
            for (var i = 0; i < 20; i++)
            {
                using var peer = Dial(server.EndPoints[0]);
                peer.LingerState = new LingerOption(true, 0);
                peer.Send("unread"u8);
                while (served.Count <= i) await Task.Yield();
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), loop.TimeProvider);
            var before = loop.Core.Backend.Wakeups;
            await Task.Delay(TimeSpan.FromMilliseconds(300), loop.TimeProvider);
            Assert.InRange(loop.Core.Backend.Wakeups - before, 1, 5);

            foreach (var protocol in served) protocol.Transport.ResumeReading();
            foreach (var protocol in served) Assert.IsType<SocketException>(await protocol.Lost);
            server.Close();
        });
    }

    private static Socket Dial(EndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { SendTimeout = 10_000 };
        socket.Connect(address);
        return socket;
    }
}
