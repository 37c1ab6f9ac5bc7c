using Microsoft.Extensions.Logging;

namespace Sluice.Tests.Doubles;

/// <summary>Keeps what is logged, as "Level: text".</summary>
internal sealed class ListLogger : ILogger
{
    public List<string> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Entries.Add($"{logLevel}: {formatter(state, exception)}");
}
