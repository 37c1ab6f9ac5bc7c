using Microsoft.Extensions.Logging.Abstractions;
using Sluice;

// Programs for what a test cannot try on itself: signals, the end of a process, its environment and its standard streams.
switch (args[0])
{
    case "until-interrupted":
        return UntilInterrupted();
    case "deaf":
        EventLoop.Run(static (loop, token) =>
        {
            token.Register(static () => Console.WriteLine("cancelled"));
            Console.WriteLine("ready");
            return loop.CreateFuture().Task;
        });
        return 0;
    case "cancels-itself":
        EventLoop.Run(static _ => Task.FromCanceled(new CancellationToken(true)));
        return 0;
    case "debug":
        Console.WriteLine(EventLoop.Run(static loop => Task.FromResult(loop.Debug)));
        return 0;
    case "never-closed":
        NeverClosed();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return 0;
    case "failing-log":
        EventLoop.Run(
            static async loop =>
            {
                loop.CallSoon(static () => throw new FormatException("mistake"));
                await Task.Yield();
            },
            new EventLoopOptions { Logger = new FailingLogger() });
        return 0;
    case "child":
        using (var child = EventLoop.Run(static _ => Task.FromResult(System.Diagnostics.Process.Start("cat"))))
        {
            child.WaitForExit();
            return child.ExitCode;
        }

    default:
        return 64;
}

static int UntilInterrupted()
{
    try
    {
        EventLoop.Run(static async (loop, token) =>
        {
            Console.WriteLine("ready");
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, loop.TimeProvider, token);
            }
            finally
            {
                Console.WriteLine(EventLoop.TryGetCurrent() == loop ? "cancelled on the loop" : "cancelled elsewhere");
            }
        });
        return 1;
    }
    catch (OperationCanceledException)
    {
        Console.WriteLine("cancellation came out");
        return 42;
    }
}

static void NeverClosed()
{
    var loop = new EventLoop(new EventLoopOptions { Debug = true });
    loop.RunUntilComplete(async () =>
    {
        var server = await loop.CreateServerAsync(static () => new Silent(), new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        await loop.CreateConnectionAsync(static () => new Silent(), server.EndPoints[0]);
    });
}

internal sealed class Silent : Protocol;

internal sealed class FailingLogger : Microsoft.Extensions.Logging.ILogger
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => NullLogger.Instance.BeginScope(state);

    public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

    public void Log<TState>(
        Microsoft.Extensions.Logging.LogLevel logLevel,
        Microsoft.Extensions.Logging.EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) => throw new IOException("the disk is full");
}
