using Microsoft.Extensions.Logging;

namespace Sluice.KernelTests.Loops.Kit;

/// <summary>Keeps what a loop logs.</summary>
internal sealed class LogRecorder : ILogger
{
    private readonly List<(LogLevel Level, string Text, Exception? Exception)> _entries = [];

    public IReadOnlyList<(LogLevel Level, string Text, Exception? Exception)> Entries
    {
        get
        {
            lock (_entries) return [.. _entries];
        }
    }

    /// <summary>Called for each entry, before it is kept.</summary>
    public Action? OnEntry { get; set; }

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        OnEntry?.Invoke();
        lock (_entries) _entries.Add((logLevel, formatter(state, exception), exception));
    }

    /// <summary>The entries from this level on.</summary>
    public IEnumerable<string> From(LogLevel level) => Entries.Where(entry => entry.Level >= level).Select(entry => entry.Text);
}
