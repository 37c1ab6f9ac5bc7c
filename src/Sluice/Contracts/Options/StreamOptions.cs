using System.Runtime.CompilerServices;

namespace Sluice;

/// <summary>How one stream connection behaves, whoever opened it: what <see cref="ConnectionOptions"/> and <see cref="ServerOptions"/> share.</summary>
public abstract record StreamOptions
{
    private protected StreamOptions()
    {
    }

    /// <summary>
    /// The most bytes that may wait to be sent; one more aborts the connection with <see cref="WriteBufferLimitException"/>. A last defence
    /// against peers that do not read: flow control acts long before. Default: 64 MiB.
    /// </summary>
    public int MaxWriteBufferSize { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Once the connection closes, how long a TCP peer may take nothing of what is still to be sent before the system breaks the connection, which sets its memory free: that of the write buffer, and
    /// afterwards the system's own (TCP_USER_TIMEOUT). A peer that reads, however slowly, is waited for. <see cref="Timeout.InfiniteTimeSpan"/> leaves it to the system, which may wait for ever for a peer that is there and
    /// does not read. Default: 60 s.
    /// </summary>
    public TimeSpan ClosingTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Sends small TCP segments at once (TCP_NODELAY). Default: true.</summary>
    public bool NoDelay { get; init; } = true;

    /// <summary>Has the system probe TCP peers that stay silent, and break the connection where they are gone (SO_KEEPALIVE). Default: false.</summary>
    public bool KeepAlive { get; init; }

    /// <summary>Whether the two are the same object. What two options say is not compared: some of it, such as a callback, cannot be.</summary>
    /// <param name="other">The other.</param>
    public virtual bool Equals(StreamOptions? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
