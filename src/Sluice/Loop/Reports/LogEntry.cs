using Microsoft.Extensions.Logging;

namespace Sluice.Loop.Reports;

/// <summary>Something that the library has to say in the log, as long as it is not known whether it is said.</summary>
/// <param name="Level">How bad it is.</param>
/// <param name="Kind">What makes it like others.</param>
/// <param name="What">Says it in one line by its ToString, for the count of those left out.</param>
/// <param name="Exception">The exception concerned, or null.</param>
/// <param name="Write">Writes it whole.</param>
internal sealed record LogEntry(LogLevel Level, ReportKind Kind, object What, Exception? Exception, Action<ILogger> Write);

/// <summary>What makes two reports alike.</summary>
/// <param name="Message">What they say, without what differs from one to the next.</param>
/// <param name="Exception">The type of the exception, or null.</param>
/// <param name="Source">The type of the protocol or transport, or null.</param>
internal readonly record struct ReportKind(string Message, Type? Exception = null, Type? Source = null);
