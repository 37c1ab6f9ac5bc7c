namespace Sluice.Primitives;

/// <summary>
/// How many bytes the queues of all loops of a process may hold, and how many they do. Pools account to it in large steps, from their own threads: the only memory that loops share while they
/// work.
/// </summary>
internal sealed class WriteBudget(long limit)
{
    /// <summary>How much of one connection may still wait while it is exceeded: a record of TLS, or an answer that is no file.</summary>
    public const int MostOfOne = 20 * 1024;

    private const long LeastByDefault = 64 * 1024 * 1024;

    private long _limit = limit;
    private long _used;

    /// <summary>The process's: a quarter of the memory that the runtime may use, unless it is set.</summary>
    public static WriteBudget Process { get; } = new(Math.Max(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4, LeastByDefault));

    public long Limit
    {
        get => Volatile.Read(ref _limit);
        set => Volatile.Write(ref _limit, value);
    }

    public long Used => Volatile.Read(ref _used);

    public bool IsExceeded => Used > Limit;

    public void Add(long count) => Interlocked.Add(ref _used, count);
}
