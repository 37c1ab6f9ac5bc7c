using Microsoft.Extensions.Logging;
using Sluice.Backends;

namespace Sluice.Loop;

/// <summary>Where the exceptions of callbacks go: the custom handler, or the log. Owned by the loop. Never throws.</summary>
internal sealed partial class CallbackErrors(ILogger? logger)
{
    private readonly ILogger _logger = logger ?? StandardErrorLogger.Instance;

    private long _cutsToldOf;
    private TimeSpan _nextWarningOfCuts = TimeSpan.MinValue;

    /// <summary>The user's handler, or null for the default one.</summary>
    public Action<ExceptionContext>? Handler { get; set; }

    public void Report(ExceptionContext context)
    {
        if (Handler is not { } handler)
        {
            ReportToLog(context);
            return;
        }

        try
        {
            handler(context);
        }
        catch (Exception exception)
        {
            ReportToLog(new ExceptionContext("Unhandled error in exception handler") { Exception = exception, Context = context });
        }
    }

    /// <summary>The default handler: one entry at level Error. asyncio: <c>default_exception_handler</c>.</summary>
    public void ReportToLog(ExceptionContext context)
    {
        try
        {
            LogUnhandled(_logger, context, context.Exception);
        }
        catch (Exception exception)
        {
            StandardErrorLogger.Write($"The logger threw {exception.GetType().Name} ({exception.Message}) when told: {context}");
        }
    }

    public void LogDroppedWrite() => Log(static logger => LogDroppedWrite(logger));

    public void LogConnectionError(Exception exception) => Log(logger => LogConnectionError(logger, exception));

    public void LogSlowCallback(object what, TimeSpan took) => Log(logger => LogSlowCallback(logger, what, took.TotalSeconds));

    public void LogBlockingWait() => Log(logger => LogBlockingWait(logger, Environment.StackTrace));

    public void LogNeverClosed(object transport) => Log(logger => LogNeverClosed(logger, transport));

    public void LogLeftOver(string what) => Log(logger => LogLeftOver(logger, what));

    public void LogWarning(string what) => Log(logger => LogWarning(logger, what));

    /// <summary>After a poll: warns of closed connections that were cut off, at most once a second, with their number. Costs a comparison where there are none.</summary>
    public void WarnOfCuts(IoBackend backend)
    {
        var count = backend.CutConnections - _cutsToldOf;
        if (count == 0 || backend.Clock.Now < _nextWarningOfCuts) return;
        _nextWarningOfCuts = backend.Clock.Now + TimeSpan.FromSeconds(1);
        _cutsToldOf += count;
        LogWarning(
            $"{count} closed connections were cut off while their peers still sent, so that the last of what was written to them may be lost: more than {backend.MaxLingering} lingered, or no descriptor was left.");
    }

    private void Log(Action<ILogger> write)
    {
        try
        {
            write(_logger);
        }
        catch (Exception exception)
        {
            StandardErrorLogger.Write($"The logger threw {exception.GetType().Name}: {exception.Message}");
        }
    }

    [LoggerMessage(1, LogLevel.Error, "{Context}")]
    private static partial void LogUnhandled(ILogger logger, ExceptionContext context, Exception? exception);

    [LoggerMessage(2, LogLevel.Warning, "A write to a lost connection was dropped.")]
    private static partial void LogDroppedWrite(ILogger logger);

    [LoggerMessage(3, LogLevel.Debug, "A connection broke.")]
    private static partial void LogConnectionError(ILogger logger, Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "{Callback} took {Seconds:F3} s and held up the loop.")]
    private static partial void LogSlowCallback(ILogger logger, object callback, double seconds);

    [LoggerMessage(5, LogLevel.Warning, "The loop's thread blocks in a wait, and everything on the loop with it: await instead.\n{StackTrace}")]
    private static partial void LogBlockingWait(ILogger logger, string stackTrace);

    [LoggerMessage(6, LogLevel.Warning, "{Transport} was never closed.")]
    private static partial void LogNeverClosed(ILogger logger, object transport);

    [LoggerMessage(7, LogLevel.Warning, "The loop ended with work left: {What}")]
    private static partial void LogLeftOver(ILogger logger, string what);

    [LoggerMessage(8, LogLevel.Warning, "{What}")]
    private static partial void LogWarning(ILogger logger, string what);
}
