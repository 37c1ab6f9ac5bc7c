using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;

namespace Sluice.KernelTests.Backends;

/// <summary>Signals on the seam: reported from Poll and never later than they are watched.</summary>
public sealed class SignalWatchTests : IDisposable
{
    /// <summary>A real-time signal that no other test uses.</summary>
    private const PosixSignal Signal = (PosixSignal)45;

    private readonly KernelBench _bench;

    public SignalWatchTests()
    {
        OwnSignals.Expect();
        _bench = new KernelBench();
    }

    public void Dispose() => _bench.Dispose();

    [Fact, Case("SIG-001")]
    public void A_signal_ends_a_wait_without_limit_and_is_reported_from_it_on_its_thread()
    {
        var sink = new Sink();
        _bench.Backend.WatchSignal(Signal, sink);
        for (var i = 1; i <= 50; i++)
        {
            var sender = new Thread(static () => OwnSignals.Send(Signal));
            sender.Start();
            while (sink.Threads.Count < i) _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
            sender.Join();
        }

        Assert.All(sink.Threads, static thread => Assert.Equal(Environment.CurrentManagedThreadId, thread));
    }

    [Fact, Case("SIG-007")]
    public void A_signal_that_has_come_is_not_reported_once_its_watch_is_cancelled()
    {
        var cancelled = new Sink();
        var other = new Sink();
        var watch = _bench.Backend.WatchSignal(Signal, cancelled);
        _bench.Backend.WatchSignal(Signal, other);
        OwnSignals.Send(Signal);
        Assert.Empty(other.Threads);
        watch.Cancel();
        watch.Cancel();

        _bench.PollUntil(() => other.Threads.Count == 1);
        _bench.PollIdle();
        Assert.Empty(cancelled.Threads);
        Assert.Single(other.Threads);
    }

    [Fact, Case("SIG-008")]
    public void The_end_of_the_backend_ends_its_watches()
    {
        var sink = new Sink();
        _bench.Backend.WatchSignal(Signal, sink);
        Assert.True(OwnSignals.Send(Signal));
        _bench.Backend.Dispose();

        Assert.False(OwnSignals.Send(Signal));
        Assert.Empty(sink.Threads);
    }

    private sealed class Sink : ISignalSink
    {
        public List<int> Threads { get; } = [];

        public void OnSignal() => Threads.Add(Environment.CurrentManagedThreadId);
    }
}
