using Microsoft.Extensions.Logging;

namespace Sluice.Testing;

/// <summary>The warnings and errors that a stage's loop logs, for checks about them. Owned by the stage.</summary>
internal sealed class StageLog : ILogger
{
    public List<string> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel)) Entries.Add(formatter(state, exception));
    }
}
