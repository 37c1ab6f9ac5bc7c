using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>await stays on the loop, whoever completes what is awaited.</summary>
public sealed class AwaitTests
{
    [Theory, EveryKernel]
    public void Yielding_and_loop_timers_resume_on_the_loop(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var thread = Environment.CurrentManagedThreadId;
        await Task.Yield();
        Assert.Equal(thread, Environment.CurrentManagedThreadId);
        await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
        Assert.Equal(thread, Environment.CurrentManagedThreadId);
        Assert.Same(loop, EventLoop.Current);
    });

    [Fact, Case("LOOP-045")]
    public void Work_of_the_thread_pool_comes_back_to_the_loop() => LoopKernel.Epoll.Run(async loop =>
    {
        var thread = Environment.CurrentManagedThreadId;
        var other = await Task.Run(() => (Id: Environment.CurrentManagedThreadId, Loop: EventLoop.TryGetCurrent()));
        Assert.NotEqual(thread, other.Id);
        Assert.Null(other.Loop);
        Assert.Equal(thread, Environment.CurrentManagedThreadId);

        await Assert.ThrowsAsync<FormatException>(() => Task.Run(static () => throw new FormatException()));
        Assert.Equal(thread, Environment.CurrentManagedThreadId);

        await Task.Delay(1);
        Assert.Equal(thread, Environment.CurrentManagedThreadId);
        Assert.Same(loop, EventLoop.Current);
    });

    [Fact]
    public void A_stranger_s_task_that_a_pool_thread_completes_resumes_on_the_loop() => LoopKernel.Epoll.Run(async loop =>
    {
        var thread = Environment.CurrentManagedThreadId;
        var inline = new TaskCompletionSource();
        var begun = Threads.Begin(inline.SetResult);
        await inline.Task;

        Assert.Equal(thread, Environment.CurrentManagedThreadId);
        Assert.Same(loop, EventLoop.Current);
        begun.Join();
    });

    [Theory, EveryKernel]
    public void Awaiters_of_a_future_resume_in_a_turn_of_their_own(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var order = new List<string>();
        var (plain, typed) = (loop.CreateFuture(), loop.CreateFuture<int>());
        async Task AwaitAsync()
        {
            await plain.Task;
            order.Add($"plain on {(EventLoop.Current == loop ? "the loop" : "another thread")}");
            order.Add($"typed {await typed.Task}");
        }

        var waiting = AwaitAsync();
        plain.SetResult();
        typed.SetResult(7);
        order.Add("completed");

        await waiting;
        Assert.Equal(["completed", "plain on the loop", "typed 7"], order);
    });

    [Theory, EveryKernel]
    public void Send_runs_at_once_on_the_loop_and_is_refused_elsewhere(LoopKernel kernel) => kernel.Run(loop =>
    {
        var context = SynchronizationContext.Current!;
        var sent = 0;
        context.Send(_ => sent++, null);
        Assert.Equal(1, sent);

        var thrown = Threads.CatchElsewhere(() => context.Send(_ => sent++, null));
        Assert.Contains(nameof(EventLoop.InvokeAsync), Assert.IsType<InvalidOperationException>(thrown).Message, StringComparison.Ordinal);
        Assert.Equal(1, sent);
        return Task.CompletedTask;
    });

    [Theory, EveryKernel, Case("LOOP-005")]
    public void Post_shares_the_queue_of_CallSoon(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var context = SynchronizationContext.Current!;
        var order = new List<int>();
        loop.CallSoon(() => order.Add(1));
        context.Post(_ => order.Add(2), null);
        Threads.RunElsewhere(() => context.Post(_ => order.Add(3), null));
        loop.CallSoon(() => order.Add(4));

        await Task.Yield();
        Assert.Equal([1, 2, 3, 4], order);
    });

    [Theory, EveryKernel]
    public void What_an_async_void_callback_throws_goes_to_the_exception_handler(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var reports = new List<Exception?>();
        loop.ExceptionHandler = (_, context) => reports.Add(context.Exception);
        loop.CallSoon(static async () =>
        {
            await Task.Yield();
            throw new FormatException();
        });

        while (reports.Count == 0) await Task.Yield();
        Assert.IsType<FormatException>(Assert.Single(reports));
    });

    [Theory, EveryKernel]
    public void The_thread_gets_its_own_context_back_when_the_loop_stops(LoopKernel kernel)
    {
        var before = new SynchronizationContext();
        SynchronizationContext.SetSynchronizationContext(before);
        try
        {
            kernel.Run(static _ => Task.CompletedTask);
            Assert.Same(before, SynchronizationContext.Current);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(null);
        }
    }
}
