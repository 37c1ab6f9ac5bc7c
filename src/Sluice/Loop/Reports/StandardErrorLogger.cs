using Microsoft.Extensions.Logging;

namespace Sluice.Loop.Reports;

/// <summary>The log of loops that were given none: warnings and errors on standard error, so that no failure is silent.</summary>
internal sealed class StandardErrorLogger : ILogger
{
    public static StandardErrorLogger Instance { get; } = new();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel)) return;
        var text = formatter(state, exception);
        Write(exception is null ? $"sluice: {text}" : $"sluice: {text}{Environment.NewLine}{exception}");
    }

    /// <summary>Writes a line, and ignores the exceptions of a closed or full standard error.</summary>
    public static void Write(string line)
    {
        try
        {
            Console.Error.WriteLine(line);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
        }
    }
}
