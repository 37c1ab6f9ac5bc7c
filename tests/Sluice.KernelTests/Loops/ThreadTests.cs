using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.KernelTests.Loops;

/// <summary>Loops and other threads.</summary>
public sealed class ThreadTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact, Case("LOOP-005")]
    public async Task A_call_from_another_thread_wakes_a_sleeping_loop_and_runs_on_it()
    {
        await using var loop = EventLoop.Start();
        var (asleep, ran) = (NewFuture<int>(), NewFuture<int>());
        loop.CallSoonThreadSafe(() => asleep.SetResult(Environment.CurrentManagedThreadId));
        var thread = await asleep.Task;

        loop.CallSoonThreadSafe(() => ran.SetResult(Environment.CurrentManagedThreadId));
        Assert.Equal(thread, await ran.Task.WaitAsync(Patience));
        Assert.NotEqual(thread, Environment.CurrentManagedThreadId);
    }

    [Fact, Case("LOOP-006", "BUG-104")]
    public async Task No_call_is_lost_while_timers_come_and_go()
    {
        const int Calls = 4096;
        await using var loop = EventLoop.Start();
        var (count, all, isChurning) = (0, NewFuture<int>(), true);
        void Churn()
        {
            for (var i = 0; i < 20; i++) loop.CallLater(TimeSpan.FromMilliseconds(i % 3), static () => { }).Cancel();
            if (isChurning) loop.CallLater(TimeSpan.Zero, Churn);
        }

        loop.CallSoonThreadSafe(Churn);
        var callers = Enumerable.Range(0, 4).Select(_ => Threads.Begin(() =>
        {
            for (var i = 0; i < Calls / 4; i++)
            {
                loop.CallSoonThreadSafe(() =>
                {
                    if (++count == Calls) all.SetResult(count);
                });
            }
        })).ToArray();

        Assert.Equal(Calls, await all.Task.WaitAsync(Patience));
        foreach (var caller in callers) caller.Join();
        loop.CallSoonThreadSafe(() => isChurning = false);
    }

    [Fact, Case("BUG-104")]
    public async Task Each_call_to_a_loop_that_sleeps_wakes_it()
    {
        await using var loop = EventLoop.Start();
        for (var i = 0; i < 2000; i++) Assert.Equal(i, await loop.InvokeAsync(() => Task.FromResult(i)).WaitAsync(Patience));
    }

    [Fact, Case("LOOP-007", "LOOP-008")]
    public void A_wake_up_that_fails_does_not_fail_the_call()
    {
        using var loop = new EventLoop(new EpollBackend(new FailingSignals()), new EventLoopOptions());
        loop.RunUntilComplete(async () =>
        {
            var ran = false;
            Threads.RunElsewhere(() => loop.CallSoonThreadSafe(() => ran = true));
            await Task.Yield();
            Assert.True(ran);
        });
    }

    [Fact, Case("LOOP-042")]
    public async Task Acting_on_a_loop_from_another_thread_is_refused_and_explained()
    {
        await using var loop = EventLoop.Start();
        var (client, server) = SocketPair.Create();
        using var peer = server;
        var (transport, _) = await loop.CreateConnectionAsync(static () => new Testing.RecordingProtocol(), client);
        var handle = loop.CallSoonThreadSafe(static () => { });
        var listener = await loop.CreateServerAsync(static () => new Testing.RecordingProtocol(), LoopKernel.Epoll.CreateAddress());
        var acts = new Action[]
        {
            () => loop.CallSoon(static () => { }),
            () => loop.CallLater(TimeSpan.Zero, static () => { }),
            () => loop.CallAt(TimeSpan.Zero, static () => { }),
            () => loop.AddReader(peer, static () => { }),
            () => loop.RemoveReader(peer),
            () => loop.AddSignalHandler(PosixSignal.SIGHUP, static () => { }),
            () => loop.RemoveSignalHandler(PosixSignal.SIGHUP),
            () => loop.CallExceptionHandler(new ExceptionContext("off the loop")),
            handle.Cancel,
            transport.Close,
            transport.Abort,
            transport.PauseReading,
            transport.ResumeReading,
            transport.WriteEof,
            () => transport.Write("x"u8),
            () => transport.SetWriteBufferLimits(1),
            listener.Close,
            listener.CloseClients,
        };

        Assert.All(acts, static act =>
        {
            var thrown = Assert.Throws<InvalidOperationException>(act);
            Assert.Contains(nameof(EventLoop.CallSoonThreadSafe), thrown.Message, StringComparison.Ordinal);
            Assert.Contains(nameof(EventLoop.InvokeAsync), thrown.Message, StringComparison.Ordinal);
            Assert.Contains("ConfigureAwait(false)", thrown.Message, StringComparison.Ordinal);
        });
        Assert.False(transport.IsClosing);
    }

    [Fact, Case("LOOP-042")]
    public async Task A_started_loop_belongs_to_its_thread_from_the_first_moment()
    {
        for (var i = 0; i < 200; i++)
        {
            await using var loop = EventLoop.Start();
            Assert.Throws<InvalidOperationException>(() => loop.CallSoon(static () => { }));
        }
    }

    [Fact, Case("LOOP-042")]
    public void Another_loop_s_thread_is_another_thread_too() => LoopKernel.Epoll.Run(async loop =>
    {
        await using var other = EventLoop.Start();
        await Assert.ThrowsAsync<InvalidOperationException>(() => other.InvokeAsync(() =>
        {
            loop.CallSoon(static () => { });
            return Task.CompletedTask;
        }));
    });

    [Fact]
    public async Task Getters_answer_on_any_thread()
    {
        await using var loop = EventLoop.Start();
        var listener = await loop.CreateServerAsync(static () => new Testing.RecordingProtocol(), LoopKernel.Epoll.CreateAddress());
        var (transport, protocol) = await loop.CreateConnectionAsync(static () => new Testing.RecordingProtocol(), listener.EndPoints[0]);

        Assert.True(loop.IsRunning);
        Assert.False(loop.IsClosed);
        Assert.False(loop.Debug);
        Assert.True(loop.Time > TimeSpan.Zero);
        Assert.NotEmpty(loop.ToString());
        Assert.True(listener.IsServing);
        Assert.Single(listener.Sockets);
        Assert.False(transport.IsClosing);
        Assert.Equal(0, transport.WriteBufferSize);
        Assert.Same(protocol, transport.Protocol);
        Assert.NotNull(transport.GetExtraInfo(ExtraInfo.PeerName));
    }

    [Fact]
    public async Task A_started_loop_goes_on_after_Stop_and_ends_when_it_is_disposed_of()
    {
        var loop = EventLoop.Start();
        for (var i = 0; i < 10; i++)
        {
            loop.Stop();
            await loop.InvokeAsync(static () => Task.CompletedTask).WaitAsync(Patience);
        }

        var invoked = loop.InvokeAsync(() => loop.CreateFuture().Task);
        await loop.DisposeAsync();
        Assert.True(loop.IsClosed);
        Assert.True(invoked.IsCanceled);
        Assert.Throws<ObjectDisposedException>(() => loop.CallSoonThreadSafe(static () => { }));
        Assert.Throws<ObjectDisposedException>(() => loop.CallSoon(static () => { }));
    }

    [Fact]
    public async Task Disposing_of_a_loop_that_another_thread_runs_stops_and_ends_it_there()
    {
        var loop = new EventLoop();
        var lost = new Testing.RecordingProtocol();
        var running = NewFuture<bool>();
        var runner = Threads.Begin(() =>
        {
            loop.CallSoon(() => running.SetResult(true));
            loop.RunForever();
        });
        await running.Task.WaitAsync(Patience);
        var (first, second) = SocketPair.Create();
        using var peer = second;
        await loop.CreateConnectionAsync(() => lost, first).WaitAsync(Patience);

        await loop.DisposeAsync().AsTask().WaitAsync(Patience);
        runner.Join();
        Assert.Equal(["ConnectionMade", "ConnectionLost(null)"], lost.Trace);
    }

    [Fact]
    public async Task Calls_that_race_with_the_end_are_answered_every_one()
    {
        for (var i = 0; i < 10; i++)
        {
            var loop = EventLoop.Start(new EventLoopOptions { Logger = NullLogger.Instance });
            var calls = new List<Task>();
            var caller = Threads.Begin(() =>
            {
                try
                {
                    while (true) calls.Add(loop.InvokeAsync(static () => Task.CompletedTask));
                }
                catch (ObjectDisposedException)
                {
                }
            });
            await loop.DisposeAsync();
            caller.Join();
            await Task.WhenAll(calls.Select(static call => call.ContinueWith(static _ => { }, TaskScheduler.Default))).WaitAsync(Patience);
        }
    }

    private static TaskCompletionSource<T> NewFuture<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A kernel whose event descriptor is always full.</summary>
    private sealed class FailingSignals : Syscalls
    {
        private const int TryAgain = 11;

        public override IoError Signal(int fd) => new(TryAgain);
    }
}
