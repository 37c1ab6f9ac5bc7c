using Microsoft.Extensions.Logging;
using Sluice.KernelTests.Loops.Kit;

namespace Sluice.KernelTests.Loops;

/// <summary>Where the exceptions of callbacks go.</summary>
public sealed class ExceptionHandlerTests
{
    private static readonly FormatException Mistake = new("mistake");

    [Theory, EveryKernel, Case("LOOP-025", "LOOP-029")]
    public void By_default_exceptions_are_logged_and_the_loop_goes_on(LoopKernel kernel)
    {
        var log = new LogRecorder();
        kernel.Run(
            static async loop =>
            {
                loop.CallSoon(static () => throw Mistake);
                loop.CallLater(TimeSpan.Zero, static () => throw new NotSupportedException("another"));
                loop.CallSoon(static () => throw new OperationCanceledException());
                await Task.Delay(TimeSpan.FromMilliseconds(1), loop.TimeProvider);
            },
            new EventLoopOptions { Logger = log });

        Assert.Equal(["mistake", "The operation was canceled.", "another"], log.Entries.Select(entry => entry.Exception!.Message));
        Assert.All(log.Entries, static entry =>
        {
            Assert.Equal(LogLevel.Error, entry.Level);
            Assert.StartsWith("Exception in callback", entry.Text, StringComparison.Ordinal);
        });
    }

    [Theory, EveryKernel, Case("LOOP-080")]
    public void A_flood_of_one_kind_is_a_line_a_second_with_the_count_of_those_left_out(LoopKernel kernel)
    {
        const int Each = 500;
        var log = new LogRecorder();
        var took = TimeSpan.Zero;
        kernel.Run(
            async loop =>
            {
                var started = loop.Time;
                for (var round = 0; round < 4; round++)
                {
                    for (var i = 0; i < Each; i++) loop.CallSoon(static () => throw Mistake);
                    loop.CallSoon(static () => throw new NotSupportedException("another kind"));
                    await Task.Delay(TimeSpan.FromMilliseconds(400), loop.TimeProvider);
                }

                took = loop.Time - started;
            },
            new EventLoopOptions { Logger = log });

        var lines = log.Entries.Where(static entry => entry.Exception is FormatException).ToList();
        Assert.StartsWith("Exception in callback; exception: FormatException: mistake; handle: ", lines[0].Text, StringComparison.Ordinal);
        Assert.All(lines.Skip(1), static line => Assert.Equal((LogLevel.Error, Mistake), (line.Level, line.Exception)));
        Assert.Equal(4 * Each - 1, lines.Skip(1).Sum(static line => int.Parse(line.Text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture)));
        Assert.InRange(lines.Count, 2, 2 + (int)took.TotalSeconds);
        Assert.StartsWith("Exception in callback; exception: NotSupportedException: another kind", log.Entries.First(static entry => entry.Exception is NotSupportedException).Text, StringComparison.Ordinal);
    }

    [Theory, EveryKernel, Case("LOOP-080")]
    public void A_custom_handler_is_told_of_everything(LoopKernel kernel) => kernel.Run(async loop =>
    {
        var told = 0;
        loop.ExceptionHandler = (_, _) => told++;
        for (var i = 0; i < 100; i++) loop.CallSoon(static () => throw Mistake);
        await Task.Yield();
        Assert.Equal(100, told);
    });

    [Theory, EveryKernel, Case("LOOP-026")]
    public void A_custom_handler_is_told_instead_until_it_is_set_to_null(LoopKernel kernel)
    {
        var log = new LogRecorder();
        kernel.Run(
            async loop =>
            {
                var told = new List<(EventLoop Loop, ExceptionContext Context)>();
                Action<EventLoop, ExceptionContext> handler = (sender, context) => told.Add((sender, context));
                Assert.Null(loop.ExceptionHandler);
                loop.ExceptionHandler = handler;
                Assert.Same(handler, loop.ExceptionHandler);

                var handle = loop.CallSoon(static () => throw Mistake);
                await Task.Yield();
                var (sender, context) = Assert.Single(told);
                Assert.Same(loop, sender);
                Assert.Same(Mistake, context.Exception);
                Assert.Same(handle, context.Handle);
                Assert.Empty(log.Entries);

                loop.ExceptionHandler = null;
                loop.CallSoon(static () => throw Mistake);
                await Task.Yield();
                Assert.Single(told);
                Assert.Same(Mistake, Assert.Single(log.Entries).Exception);
            },
            new EventLoopOptions { Logger = log });
    }

    [Theory, EveryKernel, Case("LOOP-027")]
    public void A_custom_handler_that_throws_is_reported_with_what_it_was_told(LoopKernel kernel)
    {
        var log = new LogRecorder();
        kernel.Run(
            static async loop =>
            {
                loop.ExceptionHandler = static (_, _) => throw new NotSupportedException("handler's own");
                loop.CallSoon(static () => throw Mistake);
                await Task.Yield();
                await Task.Yield();
            },
            new EventLoopOptions { Logger = log });

        var (_, text, exception) = Assert.Single(log.Entries);
        Assert.IsType<NotSupportedException>(exception);
        Assert.StartsWith("Unhandled error in exception handler", text, StringComparison.Ordinal);
        Assert.Contains("mistake", text, StringComparison.Ordinal);
    }

    [Theory, EveryKernel, Case("LOOP-028")]
    public void A_log_that_throws_does_not_stop_the_loop(LoopKernel kernel)
    {
        var log = new LogRecorder { OnEntry = static () => throw new IOException("the disk is full") };
        kernel.Run(
            static async loop =>
            {
                loop.CallSoon(static () => throw Mistake);
                await Task.Yield();
                loop.ExceptionHandler = static (_, _) => throw new NotSupportedException();
                loop.CallSoon(static () => throw Mistake);
                await Task.Yield();
            },
            new EventLoopOptions { Logger = log });
    }

    [Theory, EveryKernel]
    public void A_library_can_report_what_it_caught(LoopKernel kernel) => kernel.Run(loop =>
    {
        var told = new List<ExceptionContext>();
        loop.ExceptionHandler = (_, context) => told.Add(context);
        var report = new ExceptionContext("caught") { Exception = Mistake };
        loop.CallExceptionHandler(report);

        Assert.Same(report, Assert.Single(told));
        Assert.IsType<InvalidOperationException>(Threads.CatchElsewhere(() => loop.CallExceptionHandler(report)));
        Assert.Throws<ArgumentNullException>(() => loop.CallExceptionHandler(null!));
        return Task.CompletedTask;
    });

    [Fact, Case("LOOP-030")]
    public void A_failed_task_that_nobody_read_is_left_to_the_runtime_to_report()
    {
        var unobserved = new TaskCompletionSource();
        var mistake = new FormatException();
        void Note(object? sender, UnobservedTaskExceptionEventArgs args)
        {
            if (args.Exception.InnerExceptions.Contains(mistake)) unobserved.TrySetResult();
        }

        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            LoopKernel.Epoll.Run(async loop =>
            {
                Forget(loop, mistake);
                await Task.Yield();
                await Task.Yield();
                await Task.Yield();
            });
            for (var i = 0; i < 10 && !unobserved.Task.IsCompleted; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.True(unobserved.Task.IsCompleted);
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }
    }

    private static void Forget(EventLoop loop, Exception mistake) => _ = loop.InvokeAsync(async () =>
    {
        await Task.Yield();
        throw mistake;
    });
}
