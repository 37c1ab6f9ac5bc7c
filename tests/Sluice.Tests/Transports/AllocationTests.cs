using System.Net;
using Sluice.Backends;
using Sluice.Primitives;
using Sluice.Tests.Doubles;
using Sluice.Transports;

namespace Sluice.Tests.Transports;

/// <summary>A connection in its steady state makes no garbage.</summary>
public sealed class AllocationTests
{
    private const int Batches = 3;

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void An_echoed_message_allocates_nothing(bool buffered, bool hasLimits)
    {
        using var rig = new LoopRig();
        var channel = new SwallowingChannel();
        IProtocol<ITransport> protocol = buffered ? new BufferedEcho() : new PlainEcho();
        IStreamSink sink = new SocketTransport(rig.Loop, channel, protocol, new TransportOrigin(new ConnectionSet(), hasLimits ? new ConnectionOptions { IdleTimeout = TimeSpan.FromHours(1), MinReadRate = 1 } : ConnectionOptions.Default, null, null));
        rig.Pass(2);
        using var running = rig.Loop.Enter();
        for (var i = 0; i < 100; i++) Echo(sink, buffered);

        Assert.Equal(0, LeastAllocated(() =>
        {
            for (var i = 0; i < 1000; i++) Echo(sink, buffered);
        }));
        Assert.Equal((100 + Batches * 1000) * 5, channel.Taken);
    }

    [Fact]
    public void A_write_that_waits_allocates_nothing()
    {
        using var rig = new LoopRig();
        var channel = new SwallowingChannel { IsFull = true };
        var transport = new SocketTransport(rig.Loop, channel, new PlainEcho(), new TransportOrigin(new ConnectionSet(), ConnectionOptions.Default, null, null));
        rig.Pass(2);
        using var running = rig.Loop.Enter();
        Exchange();

        Assert.Equal(0, LeastAllocated(() =>
        {
            for (var i = 0; i < 100; i++) Exchange();
        }));

        void Exchange()
        {
            Span<byte> message = stackalloc byte[6000];
            transport.Write(message);
            transport.PauseReading();
            transport.ResumeReading();
            rig.Loop.RunPass(TimeSpan.Zero);
            ((IStreamSink)transport).OnWritten(6000, IoError.None);
            rig.Backend.Waits.Clear();
        }
    }

    // What a message allocates, every batch allocates. The runtime's own tables, such as that of casts, grow now and then on whichever thread comes by.
    private static long LeastAllocated(Action batch)
    {
        var least = long.MaxValue;
        for (var i = 0; i < Batches; i++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            batch();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }

    private static void Echo(IStreamSink sink, bool buffered)
    {
        if (!buffered)
        {
            sink.OnRead("hello"u8);
            return;
        }

        "hello"u8.CopyTo(sink.ReadTarget().Span);
        sink.OnReadInto(5);
    }

    private sealed class PlainEcho : Protocol
    {
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport) => _transport = transport;

        public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Write(data);
    }

    private sealed class BufferedEcho : BufferedProtocol
    {
        private readonly byte[] _buffer = new byte[100];
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport) => _transport = transport;

        public override Memory<byte> GetBuffer(int sizeHint) => _buffer;

        public override void BufferUpdated(int count) => _transport!.Write(_buffer.AsSpan(0, count));
    }

    /// <summary>Takes every byte, or none, and keeps no record.</summary>
    private sealed class SwallowingChannel : StreamChannel
    {
        public bool IsFull { get; init; }

        public long Taken { get; private set; }

        public override nint Handle => -1;

        public override EndPoint? LocalName => null;

        public override EndPoint? PeerName => null;

        public override TransportSocket? Socket => null;

        public override void Attach(IStreamSink sink)
        {
        }

        public override void StartReading()
        {
        }

        public override void StopReading()
        {
        }

        public override int TryWrite(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
        {
            error = IoError.None;
            var taken = IsFull ? 0 : queue.Count + extra.Length;
            Taken += taken;
            return taken;
        }

        public override void StartWrite(in WriteSlice queue)
        {
        }

        public override void ShutdownWrite()
        {
        }

        public override void Close(bool reset)
        {
        }
    }
}
