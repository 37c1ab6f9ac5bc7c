namespace Sluice.Loop.Reports;

/// <summary>
/// Says which reports go to the log, so that a peer who can provoke one cannot fill it: of one kind at most one a second. Owned by <see cref="CallbackErrors"/>; decides only, by the times that it
/// is given. A kind is the message, the type of the exception and that of the protocol.
/// </summary>
/// <remarks>
/// The table is bounded, because messages may hold what a peer has chosen: kinds beyond it are one kind together.
/// </remarks>
internal sealed class ReportLimiter
{
    public const int MostKinds = 64;

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private static readonly ReportKind Others = new("Reports of many kinds");

    private readonly Dictionary<ReportKind, Entry> _entries = [];

    /// <summary>When the earliest count of what was left out is due, or null where nothing was.</summary>
    public TimeSpan? NextSummary { get; private set; }

    /// <summary>True where a report of this kind goes to the log now; else it is counted, and <see cref="TakeDue"/> gives the last of them with the count.</summary>
    /// <param name="report">The report, kept until its time has come or another one of its kind comes.</param>
    /// <param name="now">The loop's time.</param>
    public bool Admits(LogEntry report, TimeSpan now)
    {
        var kind = report.Kind;
        if (!_entries.TryGetValue(kind, out var entry))
        {
            if (_entries.Count >= MostKinds) Forget(now);
            if (_entries.Count < MostKinds)
            {
                _entries.Add(kind, new Entry { Next = LoopTimes.After(now, Interval) });
                return true;
            }

            if (!_entries.TryGetValue(Others, out entry)) _entries.Add(Others, entry = new Entry { Next = now });
        }

        if (entry.LeftOut == 0 && now >= entry.Next)
        {
            entry.Next = LoopTimes.After(now, Interval);
            return true;
        }

        entry.LeftOut++;
        entry.Last = report;
        if (NextSummary is not { } next || entry.Next < next) NextSummary = entry.Next;
        return false;
    }

    /// <summary>Takes what was left out and is to be told of now: the last report of a kind, and how many of that kind there were.</summary>
    /// <param name="now">The loop's time; <see cref="TimeSpan.MaxValue"/> for all.</param>
    public IReadOnlyList<(LogEntry Last, long Count)> TakeDue(TimeSpan now)
    {
        var due = new List<(LogEntry, long)>();
        NextSummary = null;
        foreach (var entry in _entries.Values)
        {
            if (entry.LeftOut == 0) continue;
            if (entry.Next <= now)
            {
                due.Add((entry.Last!, entry.LeftOut));
                entry.LeftOut = 0;
                entry.Last = null;
                entry.Next = LoopTimes.After(now, Interval);
            }
            else if (NextSummary is not { } next || entry.Next < next)
            {
                NextSummary = entry.Next;
            }
        }

        return due;
    }

    /// <summary>Makes room: kinds of which nothing was heard for a while.</summary>
    private void Forget(TimeSpan now)
    {
        foreach (var (kind, entry) in _entries)
        {
            if (entry.LeftOut == 0 && entry.Next <= now) _entries.Remove(kind);
        }
    }

    private sealed class Entry
    {
        public TimeSpan Next { get; set; }

        public long LeftOut { get; set; }

        public LogEntry? Last { get; set; }
    }
}
