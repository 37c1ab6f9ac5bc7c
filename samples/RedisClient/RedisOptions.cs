namespace RedisClient;

/// <summary>How a client behaves when things go wrong.</summary>
internal sealed record RedisOptions
{
    /// <summary>How long a command may take, from the call to its reply, reconnecting included. One timer serves all commands.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one attempt to connect may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The rest after the first failure; it doubles with each further one, up to <see cref="LongestRest"/>.</summary>
    public TimeSpan FirstRest { get; init; } = TimeSpan.FromMilliseconds(50);

    public TimeSpan LongestRest { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many commands may wait to be sent. One more fails at once: a queue without a bound only moves the failure to where memory ends.</summary>
    public int MaxWaiting { get; init; } = 10_000;

    /// <summary>The most memory that one reply may take, however it is nested. A server that sends more is cut off.</summary>
    public int MaxReplySize { get; init; } = 64 * 1024 * 1024;

    /// <summary>For the jitter, without which all clients of a server that comes back would come back at the same moment.</summary>
    public Random Random { get; init; } = Random.Shared;
}
