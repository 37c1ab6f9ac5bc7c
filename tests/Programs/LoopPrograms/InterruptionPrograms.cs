using System.Net;
using Sluice;

namespace Programs.LoopPrograms;

/// <summary>Programs that are interrupted.</summary>
internal static class InterruptionPrograms
{
    public static readonly Dictionary<string, Action> All = new()
    {
        ["until-interrupted"] = () => RunToTheEnd(WaitForCancellationAsync),
        ["serve-until-interrupted"] = () => RunToTheEnd(ServeAsync),
        ["result-until-interrupted"] = RunForResult,
        ["cancels-itself"] = () => RunToTheEnd(static (_, _) => Task.FromCanceled(new CancellationToken(true))),
        ["cancels-itself-with-the-token"] = () => RunToTheEnd(static (_, token) => throw new OperationCanceledException(token)),
        ["cancels-another-token"] = () => RunToTheEnd(CancelAnotherTokenAsync),
        ["deaf"] = () => RunToTheEnd(ListenToNothingAsync),
        ["stuck"] = () => RunToTheEnd(BlockTheLoop),
        ["busy-until-line"] = () => RunToTheEnd(BeBusyAsync),
        ["goes-on"] = () => RunToTheEnd(GoOnAsync),
        ["two-runs"] = RunTwice,
        ["two-threads"] = RunOnTwoThreads,
        ["without-token"] = static () => EventLoop.Run(static loop => SayReadyAsync(loop)),
        ["run-is-over"] = WaitAfterRun,
    };

    private static void RunToTheEnd(Func<EventLoop, CancellationToken, Task> main)
    {
        EventLoop.Run(main);
        Console.WriteLine("ended normally");
    }

    private static async Task WaitForCancellationAsync(EventLoop loop, CancellationToken token)
    {
        Console.WriteLine("ready");
        await WaitAsync(loop, token);
    }

    private static async Task WaitAsync(EventLoop loop, CancellationToken token)
    {
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, token);
        }
        finally
        {
            Console.WriteLine(EventLoop.TryGetCurrent() == loop ? "cancelled on the loop" : "cancelled elsewhere");
        }
    }

    private static async Task ServeAsync(EventLoop loop, CancellationToken token)
    {
        var address = new IPEndPoint(IPAddress.Loopback, 0);
        var server = await loop.CreateServerAsync(static () => throw new NotSupportedException(), address, cancellationToken: token);
        Console.WriteLine("ready");
        await server.ServeForeverAsync(token);
    }

    private static void RunForResult()
    {
        try
        {
            EventLoop.Run(static async (loop, token) =>
            {
                await WaitForCancellationAsync(loop, token);
                return 1;
            });
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("cancellation came out");
        }
    }

    private static async Task CancelAnotherTokenAsync(EventLoop loop, CancellationToken token)
    {
        using var other = new CancellationTokenSource();
        token.Register(other.Cancel);
        Console.WriteLine("ready");
        await Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, other.Token);
    }

    private static Task ListenToNothingAsync(EventLoop loop, CancellationToken token)
    {
        token.Register(static () => Console.WriteLine("cancelled"));
        return SayReadyAsync(loop);
    }

    private static Task SayReadyAsync(EventLoop loop)
    {
        Console.WriteLine("ready");
        return loop.CreateFuture().Task;
    }

    private static Task BlockTheLoop(EventLoop loop, CancellationToken token)
    {
        Console.WriteLine("ready");
        using var never = new ManualResetEvent(false);
        never.WaitOne();
        return Task.CompletedTask;
    }

    private static async Task BeBusyAsync(EventLoop loop, CancellationToken token)
    {
        var cancelled = loop.CreateFuture();
        token.Register(() =>
        {
            Console.WriteLine("cancelled");
            cancelled.SetResult();
        });
        Console.WriteLine("busy");
        Console.ReadLine();
        Console.WriteLine("not busy");
        await cancelled.Task;
    }

    private static async Task GoOnAsync(EventLoop loop, CancellationToken token)
    {
        Console.WriteLine("ready");
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, token);
        }
        catch (OperationCanceledException)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider, CancellationToken.None);
            Console.WriteLine("goes on");
        }
    }

    private static void RunTwice()
    {
        foreach (var run in new[] { "first", "second" })
        {
            EventLoop.Run(async (loop, token) =>
            {
                Console.WriteLine(run);
                await WaitAsync(loop, token);
            });
        }
    }

    private static void RunOnTwoThreads()
    {
        using var ready = new CountdownEvent(2);
        void Run() => EventLoop.Run(async (loop, token) =>
        {
            loop.CallSoon(() => ready.Signal());
            await Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, token);
        });
        Thread[] threads = [new(Run), new(Run)];
        foreach (var thread in threads) thread.Start();
        ready.Wait();
        Console.WriteLine("ready");
        foreach (var thread in threads) thread.Join();
        Console.WriteLine("both ended normally");
    }

    private static void WaitAfterRun()
    {
        EventLoop.Run(static (_, _) => Task.CompletedTask);
        Console.WriteLine("ready");
        Console.ReadLine();
    }
}
