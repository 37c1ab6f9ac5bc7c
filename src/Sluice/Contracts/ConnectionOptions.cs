namespace Sluice;

/// <summary>How one connection behaves, whoever opened it.</summary>
public class ConnectionOptions
{
    internal static ConnectionOptions Default { get; } = new();

    /// <summary>
    /// The most bytes that may wait to be sent; one more aborts the connection with <see cref="WriteBufferLimitException"/>. A last defence
    /// against peers that do not read: flow control acts long before. Default: 64 MiB.
    /// </summary>
    public int MaxWriteBufferSize { get; init; } = 64 * 1024 * 1024;

    /// <summary>Sends small TCP segments at once (TCP_NODELAY). Default: true.</summary>
    public bool NoDelay { get; init; } = true;
}
