using System.Runtime.CompilerServices;
using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>Callbacks queued with CallSoon: their order, their pass, their handles.</summary>
public sealed class CallSoonTests
{
    [Theory, EveryKernel, Case("LOOP-002")]
    public void A_cancelled_callback_never_runs_and_the_others_keep_their_order(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var order = new List<int>();
        loop.CallSoon(() => order.Add(10));
        loop.CallSoon(() => order.Add(100)).Cancel();
        loop.CallSoon(() => order.Add(1));

        await Task.Yield();
        Assert.Equal([10, 1], order);
    });

    [Theory, EveryKernel]
    public void A_callback_gets_its_state(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var seen = new List<object?>();
        loop.CallSoon(seen.Add, "soon");
        loop.CallSoonThreadSafe(seen.Add, "thread-safe");
        loop.CallLater(TimeSpan.Zero, seen.Add, "later");

        await Task.Yield();
        await Task.Yield();
        Assert.Equal<object?>(["soon", "thread-safe", "later"], seen);
    });

    [Theory, EveryKernel, Case("LOOP-003")]
    public void A_handle_is_cancelled_by_Cancel_only(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var ran = loop.CallSoon(static () => { });
        var cancelled = loop.CallSoon(static () => { });
        Assert.False(cancelled.IsCancelled);
        cancelled.Cancel();
        cancelled.Cancel();
        Assert.True(cancelled.IsCancelled);

        await Task.Yield();
        Assert.False(ran.IsCancelled);
        ran.Cancel();
        Assert.False(ran.IsCancelled);
    });

    [Theory, EveryKernel, Case("LOOP-003", "LOOP-018")]
    public void A_handle_lets_go_of_its_callback_once_it_ran_or_was_cancelled(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var (soon, first) = Queue((callback, state) => loop.CallSoon(callback, state));
        var (later, second) = Queue((callback, state) => loop.CallLater(TimeSpan.Zero, callback, state));
        var (cancelled, third) = Queue((callback, state) => loop.CallSoon(callback, state));
        var (timer, fourth) = Queue((callback, state) => loop.CallLater(TimeSpan.FromHours(1), callback, state));
        cancelled.Cancel();
        timer.Cancel();

        await Task.Yield();
        await Task.Yield();
        GC.Collect();
        Assert.Equal([false, false, false, false], [first.IsAlive, second.IsAlive, third.IsAlive, fourth.IsAlive]);
        GC.KeepAlive((soon, later, cancelled, timer));
    });

    [Theory, EveryKernel, Case("LOOP-004")]
    public void A_callback_queued_by_a_callback_waits_for_the_next_pass_and_one_poll(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var passes = new List<long>();
        var polls = new List<long>();
        void Note()
        {
            passes.Add(loop.Core.Passes);
            polls.Add(loop.Core.Backend.Wakeups);
        }

        loop.CallSoon(() =>
        {
            Note();
            loop.CallSoon(Note);
        });
        while (passes.Count < 2) await Task.Yield();

        Assert.Equal(1, passes[1] - passes[0]);
        Assert.Equal(1, polls[1] - polls[0]);
    });

    [Theory, EveryKernel, Case("LOOP-005")]
    public void Calls_from_the_loop_and_from_another_thread_share_one_queue(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var order = new List<int>();
        loop.CallSoon(() => order.Add(1));
        Threads.RunElsewhere(() => loop.CallSoonThreadSafe(() => order.Add(2)));
        loop.CallSoonThreadSafe(() => order.Add(3));
        Threads.RunElsewhere(() => loop.CallSoonThreadSafe(() => order.Add(4)));
        loop.CallSoon(() => order.Add(5));

        await Task.Yield();
        Assert.Equal([1, 2, 3, 4, 5], order);
    });

    [Theory, EveryKernel]
    public void A_callback_that_is_null_is_refused(LoopKernel kernel) => kernel.Run(loop =>
    {
        Assert.Throws<ArgumentNullException>(() => loop.CallSoon(null!));
        Assert.Throws<ArgumentNullException>(() => loop.CallSoonThreadSafe(null!));
        Assert.Throws<ArgumentNullException>(() => loop.CallLater(TimeSpan.Zero, null!));
        Assert.Throws<ArgumentNullException>(() => loop.CallAt(TimeSpan.Zero, null!));
        return Task.CompletedTask;
    });

    // Not inlined, so that the only reference to the state is the handle's.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static (Handle Handle, WeakReference State) Queue(Func<Action<object?>, object, Handle> queue)
    {
        var state = new object();
        return (queue(static _ => { }, state), new WeakReference(state));
    }
}
