using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Loops;

/// <summary>How a loop ends: nobody is left without an answer.</summary>
public sealed class EndTests
{
    [Theory, EveryKernel]
    public void Servers_close_and_open_connections_are_lost_without_an_error(LoopKernel kernel)
    {
        var (client, server) = (new RecordingProtocol(), new RecordingProtocol());
        Server? listener = null;
        Task? closed = null;
        kernel.Run(async loop =>
        {
            listener = await loop.CreateServerAsync(() => server, kernel.CreateAddress());
            closed = listener.WaitClosedAsync();
            await loop.CreateConnectionAsync(() => client, listener.EndPoints[0]);
            await server.Made;
        });

        Assert.Equal(["ConnectionMade", "ConnectionLost(null)"], client.Trace);
        Assert.Equal("ConnectionLost(null)", server.Trace[^1]);
        Assert.False(listener!.IsServing);
        Assert.True(closed!.IsCompletedSuccessfully);
    }

    [Theory, EveryKernel]
    public async Task A_server_can_be_disposed_of_after_its_loop(LoopKernel kernel)
    {
        Server? server = null;
        kernel.Run(async loop => server = await loop.CreateServerAsync(static () => new RecordingProtocol(), kernel.CreateAddress()));

        await server!.DisposeAsync();
    }

    [Fact]
    public void A_connection_that_is_closing_may_still_flush()
    {
        var client = new RecordingProtocol();
        var (first, second) = SocketPair.Create();
        Thread? reader = null;
        var received = 0;
        LoopKernel.Epoll.Run(async loop =>
        {
            var (transport, _) = await loop.CreateConnectionAsync(() => client, first);
            transport.Write(new byte[LoopKernel.Epoll.MoreThanItHolds()]);
            transport.Close();
            Assert.Equal("PauseWriting", client.Trace[^1]);
            reader = Threads.Begin(() =>
            {
                var buffer = new byte[64 * 1024];
                while (second.Receive(buffer) is > 0 and var count) received += count;
                second.Dispose();
            });
        });

        reader!.Join();
        Assert.Equal(LoopKernel.Epoll.MoreThanItHolds(), received);
        Assert.Equal("ConnectionLost(null)", client.Trace[^1]);
    }

    [Theory, EveryKernel]
    public void A_connection_whose_peer_never_reads_is_given_up_after_the_shutdown_timeout(LoopKernel kernel)
    {
        var client = new RecordingProtocol();
        var start = TimeSpan.Zero;
        var loop = kernel.CreateLoop(new EventLoopOptions { ShutdownTimeout = TimeSpan.FromMilliseconds(50) });
        var (first, second, owners) = kernel.CreateStreamPair(loop);
        using (second)
        {
            loop.RunUntilComplete(async () =>
            {
                var (transport, _) = await loop.AdoptAsync(() => client, first);
                transport.Write(new byte[kernel.MoreThanItHolds()]);
                transport.Close();
                start = loop.Time;
            });
            Assert.Equal("PauseWriting", client.Trace[^1]);
            loop.Dispose();
            GC.KeepAlive(owners);
        }

        Assert.Equal("ConnectionLost(null)", client.Trace[^1]);
        Assert.InRange(loop.Time - start, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(2));
    }

    [Theory, EveryKernel]
    public void Timers_are_cancelled_and_pending_calls_are_too(LoopKernel kernel)
    {
        Task? invoked = null;
        var loop = kernel.CreateLoop();
        loop.RunUntilComplete(async () =>
        {
            loop.CallLater(TimeSpan.FromMilliseconds(1), static () => Assert.Fail("a timer outlived its loop"));
            invoked = loop.InvokeAsync(() => loop.CreateFuture().Task);
            await Task.Yield();
        });
        Assert.False(invoked!.IsCompleted);
        loop.Dispose();

        Assert.True(invoked.IsCanceled);
    }

    [Theory, EveryKernel]
    public void A_connect_under_way_is_cancelled(LoopKernel kernel)
    {
        Task? connecting = null;
        var protocol = new RecordingProtocol();
        kernel.Run(async loop =>
        {
            var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), kernel.CreateAddress());
            connecting = loop.CreateConnectionAsync(() => protocol, server.EndPoints[0]);
        });

        Assert.True(connecting!.IsCanceled);
        Assert.Empty(protocol.Trace);
    }

    [Theory, EveryKernel]
    public void What_is_ready_still_runs_and_what_that_begins_is_ended_too(LoopKernel kernel)
    {
        var steps = new List<string>();
        Task? late = null;
        kernel.Run(loop =>
        {
            loop.CallSoon(() =>
            {
                steps.Add("first");
                loop.CallSoon(() =>
                {
                    steps.Add("second");
                    loop.CallSoon(() => late = LateAsync(loop));
                });
            });
            return Task.CompletedTask;
        });

        Assert.Equal(["first", "second", "late begins", "late ends"], steps);
        Assert.True(late!.IsCompletedSuccessfully);

        async Task LateAsync(EventLoop loop)
        {
            steps.Add("late begins");
            try
            {
                await loop.InvokeAsync(() => loop.CreateFuture().Task);
            }
            catch (OperationCanceledException)
            {
                steps.Add("late ends");
            }
        }
    }

    [Theory, EveryKernel]
    public void A_connect_begun_by_the_last_callbacks_is_cancelled(LoopKernel kernel)
    {
        Task? late = null;
        var lost = new RecordingProtocol();
        kernel.Run(async loop =>
        {
            var (_, server) = await kernel.ConnectAsync(loop, lost, new RecordingProtocol());
            lost.OnLost = _ => late = ServeAndConnectAsync(loop);
        });

        Assert.True(late is { IsCanceled: true });

        async Task ServeAndConnectAsync(EventLoop loop)
        {
            var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), kernel.CreateAddress());
            await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
        }
    }

    [Theory, EveryKernel]
    public void Callbacks_that_never_stop_queueing_are_cut_off_with_one_report(LoopKernel kernel)
    {
        var log = new LogRecorder();
        var ran = 0;
        Task? cut = null;
        var loop = kernel.CreateLoop(new EventLoopOptions { Logger = log });
        void Again()
        {
            ran++;
            loop.CallSoon(Again);
            cut = loop.InvokeAsync(static () => Task.CompletedTask);
        }

        loop.RunUntilComplete(() =>
        {
            loop.CallSoon(Again);
            return Task.CompletedTask;
        });
        ran = 0;
        loop.Dispose();

        Assert.InRange(ran, 50, 150);
        Assert.Contains("work left", Assert.Single(log.Entries).Text, StringComparison.Ordinal);
        Assert.True(cut!.IsCanceled);
    }

    [Fact, Case("RUN-001", "RUN-004")]
    public void Main_s_token_is_cancelled_when_the_loop_begins_to_end()
    {
        Task? hanging = null;
        EventLoop.Run((loop, token) =>
        {
            hanging = HangAsync(loop, token);
            return Task.CompletedTask;
        });

        Assert.True(hanging!.IsCanceled);

        static async Task HangAsync(EventLoop loop, CancellationToken token)
        {
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, token);
            }
            finally
            {
                await Task.Yield();
                Assert.Same(loop, EventLoop.Current);
            }
        }
    }

    [Fact]
    public void What_a_callback_of_main_s_token_throws_is_reported_and_the_result_comes_out()
    {
        var log = new LogRecorder();
        var result = EventLoop.Run(
            static (_, token) =>
            {
                token.Register(static () => throw new FormatException("in the token"));
                return Task.FromResult(7);
            },
            new EventLoopOptions { Logger = log });

        Assert.Equal(7, result);
        Assert.Contains("cancellation token", Assert.Single(log.Entries).Text, StringComparison.Ordinal);
    }

    [Theory, EveryKernel, Case("LOOP-046")]
    public async Task A_continuation_that_comes_after_the_end_runs_on_the_thread_pool(LoopKernel kernel)
    {
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<(EventLoop?, bool)>? rest = null;
        kernel.Run(_ =>
        {
            rest = RestAsync();
            return Task.CompletedTask;
        });
        Assert.False(rest!.IsCompleted);
        late.SetResult();

        Assert.Equal((null, true), await rest);

        async Task<(EventLoop?, bool)> RestAsync()
        {
            await late.Task;
            return (EventLoop.TryGetCurrent(), Thread.CurrentThread.IsThreadPoolThread);
        }
    }

    [Fact, Case("LOOP-046")]
    public async Task Work_of_the_thread_pool_that_outlives_the_loop_ends_in_peace()
    {
        using var release = new ManualResetEventSlim();
        Task<EventLoop?>? rest = null;
        EventLoop.Run(loop =>
        {
            rest = AfterwardsAsync();
            return Task.CompletedTask;
        });
        release.Set();

        Assert.Null(await rest!);

        async Task<EventLoop?> AfterwardsAsync()
        {
            await Task.Run(() => release.Wait(TimeSpan.FromSeconds(30)));
            return EventLoop.TryGetCurrent();
        }
    }

    [Theory, EveryKernel]
    public void Timers_of_the_provider_stay_silent_after_the_end(LoopKernel kernel)
    {
        var loop = kernel.CreateLoop();
        var timer = loop.TimeProvider.CreateTimer(static _ => Assert.Fail("ticked"), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        loop.Dispose();

        Assert.False(timer.Change(TimeSpan.Zero, TimeSpan.Zero));
        timer.Dispose();
    }
}
