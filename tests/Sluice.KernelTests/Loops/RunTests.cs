using System.Runtime.InteropServices;
using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>The life of a loop: runs, stops, nesting, the end.</summary>
public sealed class RunTests
{
    [Theory, EveryKernel, Case("LOOP-031")]
    public void A_stop_before_the_run_gives_exactly_one_pass_that_does_not_wait(LoopKernel kernel)
    {
        using var loop = kernel.CreateLoop();
        var order = new List<int>();
        loop.CallSoon(() =>
        {
            order.Add(1);
            loop.CallSoon(() => order.Add(2));
        });
        loop.Stop();
        loop.RunForever();
        Assert.Equal([1], order);

        loop.Stop();
        loop.RunForever();
        Assert.Equal([1, 2], order);
    }

    [Theory, EveryKernel, Case("LOOP-031")]
    public void A_stop_ends_the_pass_and_leaves_the_queue_for_the_next_run(LoopKernel kernel)
    {
        using var loop = kernel.CreateLoop();
        var order = new List<string>();
        loop.CallSoon(() =>
        {
            loop.Stop();
            loop.CallSoon(() =>
            {
                order.Add("queued after the stop");
                loop.Stop();
            });
        });
        loop.CallSoon(() => order.Add("of the same pass"));

        loop.RunForever();
        Assert.Equal(["of the same pass"], order);
        loop.RunForever();
        Assert.Equal(["of the same pass", "queued after the stop"], order);
    }

    [Theory, EveryKernel, Case("LOOP-033", "RUN-009")]
    public void Runs_give_results_and_exceptions_one_after_another(LoopKernel kernel)
    {
        using var loop = kernel.CreateLoop();
        var mistake = new FormatException();
        Assert.Equal(7, loop.RunUntilComplete(static () => Task.FromResult(7)));
        Assert.Same(mistake, Assert.Throws<FormatException>(() => loop.RunUntilComplete(() => Task.FromException(mistake))));
        Assert.Same(mistake, Assert.Throws<FormatException>(() => loop.RunUntilComplete(() => throw mistake)));
        Assert.Throws<TaskCanceledException>(() => loop.RunUntilComplete(static () => Task.FromCanceled(new CancellationToken(true))));
        loop.RunUntilComplete(static async () => await Task.Yield());
        Assert.Throws<ArgumentNullException>(() => loop.RunUntilComplete(null!));
    }

    [Theory, EveryKernel, Case("LOOP-034")]
    public void A_run_that_is_stopped_before_its_task_is_done_says_so(LoopKernel kernel)
    {
        using var loop = kernel.CreateLoop();
        var never = loop.CreateFuture();

        var thrown = Assert.Throws<InvalidOperationException>(() => loop.RunUntilComplete(() =>
        {
            loop.Stop();
            return never.Task;
        }));
        Assert.Contains("stopped before", thrown.Message, StringComparison.Ordinal);
    }

    [Theory, EveryKernel, Case("LOOP-036")]
    public void A_task_left_over_from_a_stopped_run_does_not_stop_the_next_one(LoopKernel kernel)
    {
        using var loop = kernel.CreateLoop();
        var (first, second) = (loop.CreateFuture(), loop.CreateFuture());
        Assert.Throws<InvalidOperationException>(() => loop.RunUntilComplete(() =>
        {
            loop.Stop();
            return first.Task;
        }));

        var finished = loop.RunUntilComplete(async () =>
        {
            first.SetResult();
            for (var i = 0; i < 5; i++) await Task.Yield();
            loop.CallLater(TimeSpan.Zero, second.SetResult);
            await second.Task;
            return true;
        });
        Assert.True(finished);
    }

    [Theory, EveryKernel, Case("LOOP-037", "RUN-002")]
    public void A_running_loop_cannot_be_run_nor_another_one_on_its_thread(LoopKernel kernel)
    {
        using var other = kernel.CreateLoop();
        kernel.Run(loop =>
        {
            Assert.Throws<InvalidOperationException>(loop.RunForever);
            Assert.Throws<InvalidOperationException>(() => loop.RunUntilComplete(static () => Task.CompletedTask));
            Assert.Throws<InvalidOperationException>(other.RunForever);
            Assert.Throws<InvalidOperationException>(() => other.RunUntilComplete(static () => Task.CompletedTask));
            Assert.Throws<InvalidOperationException>(() => EventLoop.Run(static _ => Task.CompletedTask));
            Assert.IsType<InvalidOperationException>(Threads.CatchElsewhere(loop.RunForever));
            return Task.CompletedTask;
        });

        other.RunUntilComplete(static () => Task.CompletedTask);
    }

    [Theory, EveryKernel, Case("LOOP-038")]
    public void A_loop_cannot_be_disposed_of_by_its_own_callbacks(LoopKernel kernel) => kernel.Run(async loop =>
    {
        Assert.Throws<InvalidOperationException>(loop.Dispose);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await loop.DisposeAsync());
        Assert.False(loop.IsClosed);
    });

    [Theory, EveryKernel]
    public void A_loop_that_does_not_run_can_be_disposed_of_inside_another(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var other = kernel.CreateLoop();
        var ended = other.InvokeAsync(static () => Task.CompletedTask);
        var context = SynchronizationContext.Current;
        await other.DisposeAsync();

        Assert.True(other.IsClosed);
        Assert.True(ended.IsCompletedSuccessfully);
        Assert.Same(loop, EventLoop.Current);
        Assert.Same(context, SynchronizationContext.Current);
        await Task.Yield();
        Assert.Same(loop, EventLoop.Current);
    });

    [Theory, EveryKernel, Case("LOOP-039", "LOOP-040")]
    public async Task A_closed_loop_refuses_everything_but_another_close(LoopKernel kernel)
    {
        var loop = kernel.CreateLoop();
        loop.Dispose();
        loop.Dispose();
        await loop.DisposeAsync();

        Assert.True(loop.IsClosed);
        Assert.False(loop.IsRunning);
        var (first, second) = SocketPair.Create();
        using (first)
        using (second)
        {
            var refused = new Action[]
            {
                loop.RunForever,
                () => loop.RunUntilComplete(static () => Task.CompletedTask),
                () => loop.CallSoon(static () => { }),
                () => loop.CallSoonThreadSafe(static () => { }),
                () => loop.CallLater(TimeSpan.Zero, static () => { }),
                () => loop.CallAt(TimeSpan.Zero, static () => { }),
                () => { loop.InvokeAsync(static () => Task.CompletedTask); },
                () => loop.AddReader(first, static () => { }),
                () => loop.AddWriter(first, static () => { }),
                () => loop.AddSignalHandler(PosixSignal.SIGHUP, static () => { }),
                () => { loop.CreateConnectionAsync(static () => new Testing.RecordingProtocol(), kernel.CreateAddress()); },
                () => { loop.CreateServerAsync(static () => new Testing.RecordingProtocol(), kernel.CreateAddress()); },
            };
            Assert.All(refused, static action => Assert.Throws<ObjectDisposedException>(action));

            Assert.False(loop.RemoveReader(first));
            Assert.False(loop.RemoveWriter(first));
            Assert.False(loop.RemoveSignalHandler(PosixSignal.SIGHUP));
        }

        loop.Stop();
    }

    [Theory, EveryKernel, Case("LOOP-064")]
    public void Current_is_the_running_loop_inside_callbacks_only(LoopKernel kernel)
    {
        Assert.Null(EventLoop.TryGetCurrent());
        kernel.Run(async loop =>
        {
            Assert.Same(loop, EventLoop.Current);
            Threads.RunElsewhere(static () => Assert.Null(EventLoop.TryGetCurrent()));
            var seen = loop.CreateFuture<EventLoop?>();
            loop.CallSoon(() => seen.SetResult(EventLoop.TryGetCurrent()));
            Assert.Same(loop, await seen.Task);
        });
        Assert.Null(EventLoop.TryGetCurrent());
        Assert.Contains("ConfigureAwait", Assert.Throws<InvalidOperationException>(static () => EventLoop.Current).Message, StringComparison.Ordinal);
    }

    [Fact, Case("RUN-001", "RUN-003")]
    public void Run_makes_a_loop_of_its_options_passes_the_outcome_on_and_closes_the_loop()
    {
        EventLoop? used = null;
        var result = EventLoop.Run(
            async loop =>
            {
                used = loop;
                await Task.Yield();
                return loop.Debug;
            },
            new EventLoopOptions { Debug = true });
        Assert.True(result);
        Assert.True(used!.IsClosed);

        var mistake = new FormatException();
        Assert.Same(mistake, Assert.Throws<FormatException>(() => EventLoop.Run(loop =>
        {
            used = loop;
            throw mistake;
        })));
        Assert.True(used.IsClosed);
        Assert.Throws<ArgumentNullException>(static () => EventLoop.Run((Func<EventLoop, Task>)null!));
    }

    [Fact, Case("RUN-011")]
    public void Run_works_on_any_thread() =>
        Threads.RunElsewhere(static () => Assert.Equal(7, EventLoop.Run(static async (_, _) =>
        {
            await Task.Yield();
            return 7;
        })));
}
