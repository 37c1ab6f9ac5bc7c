using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;

namespace Sluice.KernelTests.Backends;

/// <summary>Watching descriptors that stay their users'.</summary>
public sealed class WatchTests : IDisposable
{
    private readonly KernelBench _bench = new();
    private readonly RecordingWatchSink _sink = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Readiness_is_reported_once_per_poll_while_it_lasts_and_only_where_wanted()
    {
        var (near, far) = Pair();
        var watch = _bench.Backend.Watch(near.SafeHandle, _sink);
        far.Send("x"u8);
        _bench.PollIdle();
        Assert.Equal((0, 0), (_sink.Readable, _sink.Writable));
        watch.SetInterest(readable: true, writable: false);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Equal((2, 0), (_sink.Readable, _sink.Writable));
        watch.SetInterest(readable: true, writable: true);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Equal((3, 1), (_sink.Readable, _sink.Writable));
        near.Receive(new byte[1]);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Equal((3, 2), (_sink.Readable, _sink.Writable));
        watch.Close();
        watch.Close();
        _bench.PollIdle();
        Assert.Equal((3, 2), (_sink.Readable, _sink.Writable));
    }

    [Fact]
    public void A_broken_descriptor_is_ready_for_all_that_is_wanted()
    {
        var (near, far) = Pair();
        var watch = _bench.Backend.Watch(near.SafeHandle, _sink);
        watch.SetInterest(readable: true, writable: true);
        far.LingerState = new LingerOption(true, 0);
        far.Close();
        _bench.PollUntil(() => _sink.Readable > 0);
        Assert.Equal(_sink.Readable, _sink.Writable);
    }

    [Fact]
    public void A_regular_file_cannot_be_watched()
    {
        using var file = File.OpenHandle(typeof(WatchTests).Assembly.Location);
        var exception = Assert.Throws<SocketException>(() => _bench.Backend.Watch(file, _sink));
        Assert.Equal(SocketError.AccessDenied, exception.SocketErrorCode);
    }

    [Fact]
    public void A_watch_may_outlive_its_descriptor()
    {
        var (near, _) = Pair();
        var watch = _bench.Backend.Watch(near.SafeHandle, _sink);
        watch.SetInterest(readable: true, writable: true);
        near.Dispose();
        _bench.PollIdle();
        watch.Close();
        Assert.Equal(0, _sink.Readable);
    }

    private (Socket Near, Socket Far) Pair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(_bench.NewAddress(Family.IPv4));
        listener.Listen();
        var far = _bench.Dial(listener.LocalEndPoint!);
        return (listener.Accept(), far);
    }
}
