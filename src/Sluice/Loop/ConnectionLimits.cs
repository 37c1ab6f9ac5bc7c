namespace Sluice.Loop;

/// <summary>The limits of time that hold for one connection, in ticks; <see cref="Never"/> where there is none.</summary>
/// <param name="Idle">How long no byte may move.</param>
/// <param name="Read">How long none may arrive.</param>
/// <param name="Window">The span over which the rate is measured.</param>
/// <param name="LeastInWindow">How many bytes have to arrive in it.</param>
/// <param name="IsWanted">Somebody asks for the time of the last activity.</param>
internal readonly record struct ConnectionLimits(long Idle, long Read, long Window, long LeastInWindow, bool IsWanted)
{
    public const long Never = long.MaxValue;

    public static ConnectionLimits None => new(Never, Never, Never, 0, false);

    /// <summary>Nothing is to be watched at all.</summary>
    public bool IsNone => !IsWanted && Shortest == Never;

    public long Shortest => Math.Min(Idle, Math.Min(Read, Window));

    /// <summary>One that lasts so long, whatever happens.</summary>
    public static ConnectionLimits Once(TimeSpan time) => None with { Idle = time.Ticks };

    public static ConnectionLimits Of(StreamOptions options)
    {
        var hasRate = options.MinReadRate > 0;
        return new ConnectionLimits(
            options.IdleTimeout?.Ticks ?? Never,
            options.ReadTimeout?.Ticks ?? Never,
            hasRate ? options.MinReadRateGracePeriod.Ticks : Never,
            hasRate ? (long)Math.Ceiling(options.MinReadRate * options.MinReadRateGracePeriod.TotalSeconds) : 0,
            options is ServerOptions { ReplaceIdleAfter: not null });
    }
}

/// <summary>Whose time is limited: a connection, or an attempt to get one.</summary>
internal interface ILimited
{
    /// <summary>What it waits for at this instant.</summary>
    Awaited Awaits { get; }

    /// <summary>It has reached a limit, and ends.</summary>
    void OnLimit(ConnectionLimit limit);
}

/// <summary>Who has to move next.</summary>
internal enum Awaited : byte
{
    /// <summary>The peer: it may send.</summary>
    Bytes,

    /// <summary>The peer: it is to take what waits to be sent, or to end; nothing that it sends is read.</summary>
    Room,

    /// <summary>The app, which has paused reading.</summary>
    App,
}
