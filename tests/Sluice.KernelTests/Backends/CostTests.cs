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
        var before = Bytes.OpenDescriptors();
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
