using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>Runs alone: other tests would open descriptors while these count them.</summary>
[CollectionDefinition(nameof(CostTests), DisableParallelization = true)]
public sealed class CostTestsRunAlone;

/// <summary>What a message and a connection cost, and that nothing of them stays.</summary>
[Collection(nameof(CostTests))]
public sealed class CostTests : IDisposable
{
    private readonly FaultySyscalls _system = new();
    private readonly KernelBench _bench;

    public CostTests() => _bench = new KernelBench(_system);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void An_echoed_message_takes_one_wait_one_receive_one_send_and_no_memory()
    {
        const int Messages = 1000;
        var (listener, accepted) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var peer = _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => accepted.Accepted.Count == 1);
        var sink = new EchoSink(accepted.Accepted[0]);
        accepted.Accepted[0].Attach(sink);
        accepted.Accepted[0].StartReading();
        var buffer = new byte[64];
        Exchange(Messages);

        var (controls, receives, sends, wakeups) = (_system.EpollControls, _system.Receives, _system.Sends, _bench.Backend.Wakeups);
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        Exchange(Messages);
        Assert.Equal(allocated, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(controls, _system.EpollControls);
        Assert.Equal(receives + Messages, _system.Receives);
        Assert.Equal(sends + Messages, _system.Sends);
        Assert.Equal(wakeups + Messages, _bench.Backend.Wakeups);

        void Exchange(int messages)
        {
            for (var i = 0; i < messages; i++)
            {
                peer.Send(buffer);
                _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
                peer.Receive(buffer);
            }
        }
    }

    // accept4, epoll_ctl to join, recv that finds the end, close: leaving the set comes with the close. The rest is one wait each for the
    // connection and its end, and the accept that finds no other. A listener on every address asks each connection for its own.
    [Theory]
    [InlineData(Family.IPv4, false)]
    [InlineData(Family.IPv4, true)]
    [InlineData(Family.IPv6, false)]
    [InlineData(Family.Unix, false)]
    public void A_connection_whose_peer_ends_it_takes_seven_calls_or_eight(Family family, bool wildcard)
    {
        const int Connections = 50;
        var (listener, accepted) = _bench.Listen(wildcard ? new IPEndPoint(IPAddress.Any, 0) : _bench.NewAddress(family));
        var address = wildcard ? new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)listener.LocalName).Port) : listener.LocalName;
        var closed = 0;
        accepted.WhenAccepted = channel =>
        {
            var sink = new RecordingStreamSink { WhenEnded = () => channel.Close(reset: false), WhenClosed = () => closed++ };
            channel.Attach(sink);
            channel.StartReading();
        };
        Serve(1);
        var (before, waits) = (_system.Calls, _system.EpollWaits);
        Serve(Connections);

        Assert.Equal((wildcard ? 8 : 7) * Connections, _system.Calls - before);
        Assert.Equal(2 * Connections, _system.EpollWaits - waits);
        Assert.Equal(0, _system.Shutdowns);

        void Serve(int connections)
        {
            for (var i = 0; i < connections; i++)
            {
                var number = closed + 1;
                var peer = _bench.Dial(address);
                _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
                peer.Shutdown(SocketShutdown.Send);
                while (closed < number) _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
            }
        }
    }

    [Fact]
    public void Closes_without_end_do_not_keep_the_kernel_unseen()
    {
        var (listener, accepted) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var channels = new Queue<StreamChannel>();
        accepted.WhenAccepted = channel =>
        {
            channel.Attach(new RecordingStreamSink());
            channels.Enqueue(channel);
        };
        for (var i = 0; i < 20; i++) _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => channels.Count == 20);
        var late = _bench.Dial(listener.LocalName);
        for (var i = 0; i < 2; i++)
        {
            channels.Dequeue().Close(reset: true);
            _bench.Backend.Poll(TimeSpan.Zero);
        }

        Assert.Equal(21, accepted.Accepted.Count);
        late.Dispose();
    }

    [Fact]
    public void A_thousand_connections_leave_no_descriptor_behind()
    {
        var (listener, accepted) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var served = 0;
        var sink = new RecordingStreamSink();
        accepted.WhenAccepted = channel =>
        {
            sink = new RecordingStreamSink
            {
                WhenRead = bytes => channel.TryWrite(default, bytes, out _),
                WhenEnded = () => channel.Close(reset: served % 2 == 0),
            };
            served++;
            channel.Attach(sink);
            channel.StartReading();
        };
        Serve(10);
        var before = Bytes.SettledDescriptors();
        Serve(1000);
        Assert.Equal(before, Bytes.OpenDescriptors());

        void Serve(int connections)
        {
            for (var i = 0; i < connections; i++)
            {
                using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 10_000 };
                peer.Connect(listener.LocalName);
                peer.Send("x"u8);
                var number = served + 1;
                _bench.PollUntil(() => served == number && sink.Reads == 1);
                Bytes.ReceiveExactly(peer, 1);
                peer.Shutdown(SocketShutdown.Send);
                _bench.PollUntil(() => sink.Closes == 1);
            }
        }
    }

    private sealed class EchoSink(StreamChannel channel) : IStreamSink
    {
        public void OnRead(ReadOnlySpan<byte> data) => channel.TryWrite(default, data, out _);

        public Memory<byte> ReadTarget() => default;

        public void OnReadInto(int count)
        {
        }

        public void OnReadEnd(IoError reason)
        {
        }

        public void OnWritten(int count, IoError error)
        {
        }

        public void OnClosed()
        {
        }
    }
}
