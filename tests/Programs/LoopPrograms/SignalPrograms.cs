using System.Diagnostics;
using System.Runtime.InteropServices;
using Sluice;

namespace Programs.LoopPrograms;

/// <summary>Programs that handle the signal that they are told.</summary>
internal static class SignalPrograms
{
    private const PosixSignal ChildEnded = (PosixSignal)17;

    public static readonly Dictionary<string, Action<PosixSignal>> All = new()
    {
        ["handler"] = static signal => EventLoop.Run(loop => HandleAsync(loop, signal)),
        ["handler-in-run"] = RunWithHandler,
        ["handler-is-over"] = WaitAfterLoop,
        ["busy-handler"] = static signal => EventLoop.Run(loop => BeBusyAsync(loop, signal)),
        ["two-handlers"] = static signal => HandleOnTwoLoopsAsync(signal).GetAwaiter().GetResult(),
        ["child-handler"] = static _ => EventLoop.Run(WaitForChildAsync),
    };

    private static async Task HandleAsync(EventLoop loop, PosixSignal signal)
    {
        loop.AddSignalHandler(signal, () => SayHandled(loop));
        Console.WriteLine("ready");
        while (await ReadLineAsync() is not null)
        {
            Console.WriteLine($"removed: {loop.RemoveSignalHandler(signal)}");
            Console.WriteLine($"removed again: {loop.RemoveSignalHandler(signal)}");
        }
    }

    private static void RunWithHandler(PosixSignal signal)
    {
        EventLoop.Run(async (loop, token) =>
        {
            loop.AddSignalHandler(signal, () => Console.WriteLine($"handled, token cancelled: {token.IsCancellationRequested}"));
            var cancelled = loop.CreateFuture();
            token.Register(() =>
            {
                Console.WriteLine("cancelled");
                cancelled.TrySetCanceled(token);
            });
            Console.WriteLine("ready");
            if (await Task.WhenAny(ReadLineAsync(), cancelled.Task) != cancelled.Task) Console.WriteLine($"removed: {loop.RemoveSignalHandler(signal)}");
            await cancelled.Task;
        });
        Console.WriteLine("ended normally");
    }

    private static void WaitAfterLoop(PosixSignal signal)
    {
        EventLoop.Run(loop =>
        {
            loop.AddSignalHandler(signal, static () => Console.WriteLine("handled"));
            return Task.CompletedTask;
        });
        Console.WriteLine("ready");
        Console.ReadLine();
    }

    private static async Task BeBusyAsync(EventLoop loop, PosixSignal signal)
    {
        var handled = loop.CreateFuture();
        loop.AddSignalHandler(signal, () =>
        {
            SayHandled(loop);
            handled.SetResult();
        });
        Console.WriteLine("busy");
        Console.ReadLine();
        Console.WriteLine("not busy");
        await handled.Task;
    }

    private static async Task HandleOnTwoLoopsAsync(PosixSignal signal)
    {
        using var firstHandled = new SemaphoreSlim(0);
        using var secondHandled = new SemaphoreSlim(0);
        var first = await StartWithHandlerAsync(signal, firstHandled);
        var second = await StartWithHandlerAsync(signal, secondHandled);
        Console.WriteLine("ready");
        await firstHandled.WaitAsync();
        await secondHandled.WaitAsync();
        Console.WriteLine("both handled it");

        await first.DisposeAsync();
        Console.WriteLine("one has ended");
        await secondHandled.WaitAsync();
        Console.WriteLine(firstHandled.CurrentCount == 0 ? "the other handled it" : "an ended loop handled it");

        await second.DisposeAsync();
        Console.WriteLine("both have ended");
        Console.ReadLine();
    }

    private static async Task<EventLoop> StartWithHandlerAsync(PosixSignal signal, SemaphoreSlim handled)
    {
        var loop = EventLoop.Start();
        await loop.InvokeAsync(() =>
        {
            loop.AddSignalHandler(signal, () => handled.Release());
            return Task.CompletedTask;
        });
        return loop;
    }

    private static async Task WaitForChildAsync(EventLoop loop)
    {
        var heard = loop.CreateFuture();
        loop.AddSignalHandler(ChildEnded, () => heard.TrySetResult());
        using var child = Process.Start("sh", ["-c", "exit 7"]);
        await child.WaitForExitAsync();
        Console.WriteLine($"the child ended with {child.ExitCode}");
        await heard.Task;
        Console.WriteLine("handled");
    }

    private static void SayHandled(EventLoop loop) =>
        Console.WriteLine(EventLoop.TryGetCurrent() == loop ? "handled on the loop" : "handled elsewhere");

    private static Task<string?> ReadLineAsync() => Task.Run(Console.ReadLine);
}
