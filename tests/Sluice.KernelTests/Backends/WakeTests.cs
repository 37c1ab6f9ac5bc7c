using Sluice.KernelTests.Backends.Kit;
using Sluice.Native;

namespace Sluice.KernelTests.Backends;

/// <summary>Waking the backend from other threads.</summary>
public sealed class WakeTests : IDisposable
{
    private readonly KernelBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void A_wake_ends_a_wait_without_limit()
    {
        for (var i = 0; i < 100; i++)
        {
            var waker = new Thread(_bench.Backend.Wake);
            waker.Start();
            _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
            waker.Join();
        }
    }

    [Fact]
    public void A_wake_before_the_wait_is_not_lost()
    {
        _bench.Backend.Wake();
        _bench.Backend.Wake();
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        _bench.Backend.Wake();
        _bench.Backend.Poll(Timeout.InfiniteTimeSpan);
    }

    [Fact]
    public void Wakes_between_two_polls_cost_one_system_call()
    {
        var system = new SignalCounter();
        using var bench = new KernelBench(system);
        for (var i = 0; i < 10; i++) bench.Backend.Wake();
        Assert.Equal(1, system.Signals);
        bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        bench.Backend.Wake();
        Assert.Equal(2, system.Signals);
    }

    [Fact]
    public void Waking_a_disposed_backend_is_harmless_even_in_a_race()
    {
        for (var i = 0; i < 200; i++)
        {
            var backend = new Sluice.Backends.Epoll.EpollBackend();
            var waker = new Thread(backend.Wake);
            waker.Start();
            backend.Dispose();
            waker.Join();
            backend.Wake();
        }
    }

    [Fact]
    public void Each_return_from_waiting_counts_as_a_wake_up()
    {
        var before = _bench.Backend.Wakeups;
        _bench.Backend.Poll(TimeSpan.Zero);
        _bench.Backend.Poll(TimeSpan.FromTicks(1));
        Assert.Equal(before + 2, _bench.Backend.Wakeups);
    }

    private sealed class SignalCounter : Syscalls
    {
        public int Signals { get; private set; }

        public override Primitives.IoError Signal(int fd)
        {
            Signals++;
            return base.Signal(fd);
        }
    }
}
