using Microsoft.Extensions.Logging;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Loop.Reports;

/// <summary>
/// Where the exceptions of callbacks go: the custom handler, or the log; and the one way by which the library writes to the log. Owned by the loop; used on its thread. Never throws.
/// </summary>
/// <remarks>
/// A handler of the user's is told everything. The log is told of one kind of thing once a second: the first whole, then once a second how many there were and the last of them, until a second
/// passes without any. Peers can provoke most of what is said here, as often as they like.
/// </remarks>
internal sealed partial class CallbackErrors(ILogger? logger, LoopCore loop) : IHeapTimer, ILoopWork
{
    private readonly ILogger _logger = logger ?? StandardErrorLogger.Instance;
    private readonly ReportLimiter _limiter = new();
    private long _due;
    private long _cutsToldOf;
    private TimeSpan _nextWarningOfCuts = TimeSpan.MinValue;

    /// <summary>The user's handler, or null for the default one.</summary>
    public Action<ExceptionContext>? Handler { get; set; }

    long IHeapTimer.Due => _due;

    int IHeapTimer.HeapIndex { get; set; } = -1;

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

    public void LogDroppedWrite() => Log(LogLevel.Warning, new ReportKind("dropped write"), "A write to a lost connection was dropped.", null, static logger => LogDroppedWrite(logger));

    public void LogConnectionError(Exception exception)
    {
        if (!IsEnabled(LogLevel.Debug)) return;
        Log(LogLevel.Debug, new ReportKind("connection", exception.GetType()), "A connection broke.", exception, logger => LogConnectionError(logger, exception));
    }

    public void LogSlowCallback(object what, TimeSpan took) => Log(
        LogLevel.Warning, new ReportKind($"slow: {what}"), $"{what} took {took.TotalSeconds:F3} s and held up the loop.", null, logger => LogSlowCallback(logger, what, took.TotalSeconds));

    public void LogBlockingWait()
    {
        var stack = Environment.StackTrace;
        Log(LogLevel.Warning, new ReportKind("blocking wait"), "The loop's thread blocks in a wait.", null, logger => LogBlockingWait(logger, stack));
    }

    public void LogNeverClosed(object transport)
    {
        var name = transport.ToString()!;
        Log(LogLevel.Warning, new ReportKind("never closed", null, transport.GetType()), $"{name} was never closed.", null, logger => LogNeverClosed(logger, name));
    }

    public void LogLeftOver(string what) => Log(LogLevel.Warning, new ReportKind("left over"), what, null, logger => LogLeftOver(logger, what));

    /// <param name="kind">What it is about, without what differs from one case to the next.</param>
    /// <param name="what">The warning.</param>
    public void LogWarning(string kind, string what) => Log(LogLevel.Warning, new ReportKind(kind), what, null, logger => LogWarning(logger, what));

    /// <summary>After a poll: warns of closed connections that were cut off, at most once a second, with their number. Costs a comparison where there are none.</summary>
    public void WarnOfCuts(IoBackend backend)
    {
        var count = backend.CutConnections - _cutsToldOf;
        if (count == 0 || backend.Clock.Now < _nextWarningOfCuts) return;
        _nextWarningOfCuts = backend.Clock.Now + ReportLimiter.Interval;
        _cutsToldOf += count;
        LogWarning(
            "closed connections were cut off",
            $"{count} closed connections were cut off while their peers still sent, so that the last of what was written to them may be lost: more than {backend.MaxLingering} lingered, or no descriptor was left.");
    }

    /// <summary>The loop ends: what was left out and not told of is told of now.</summary>
    public void Close() => TellLeftOut(TimeSpan.MaxValue);

    void ILoopWork.Run(int code) => TellLeftOut(loop.Time);

    /// <summary>The default handler: an entry at level Error. asyncio: <c>default_exception_handler</c>.</summary>
    private void ReportToLog(ExceptionContext context) => Log(
        LogLevel.Error, new ReportKind(context.Message, context.Exception?.GetType(), context.Protocol?.GetType()), context, context.Exception,
        logger => LogUnhandled(logger, context, context.Exception));

    private void Log(LogLevel level, ReportKind kind, object what, Exception? exception, Action<ILogger> write)
    {
        var entry = new LogEntry(level, kind, what, exception, write);
        if (loop.IsClosed || _limiter.Admits(entry, loop.Time)) Write(entry, write);
        else Arm();
    }

    private void TellLeftOut(TimeSpan now)
    {
        foreach (var (last, count) in _limiter.TakeDue(now))
        {
            if (count == 1) Write(last, last.Write);
            else Write(last, logger => LogLeftOut(logger, last.Level, count, last.What, last.Exception));
        }

        Arm();
    }

    private void Arm()
    {
        if (_limiter.NextSummary is not { } next || loop.IsClosed || ((IHeapTimer)this).HeapIndex >= 0) return;
        _due = next.Ticks;
        loop.AddTimer(this);
    }

    private bool IsEnabled(LogLevel level)
    {
        try
        {
            return _logger.IsEnabled(level);
        }
        catch (Exception)
        {
            // It throws when it is written to as well, and that is said.
            return true;
        }
    }

    private void Write(LogEntry entry, Action<ILogger> write)
    {
        try
        {
            write(_logger);
        }
        catch (Exception exception)
        {
            StandardErrorLogger.Write($"The logger threw {exception.GetType().Name} ({exception.Message}) when told: {Describe(entry.What)}");
        }
    }

    // A transport or a handle of the user's may throw from its ToString.
    private static string Describe(object what)
    {
        try
        {
            return what.ToString() ?? "";
        }
        catch (Exception exception)
        {
            return $"({exception.GetType().Name} in ToString)";
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

    [LoggerMessage(EventId = 9, Message = "{Count} more like this were left out; the last: {What}")]
    private static partial void LogLeftOut(ILogger logger, LogLevel level, long count, object what, Exception? exception);
}
