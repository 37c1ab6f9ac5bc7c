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

    /// <summary>
    /// How long no byte may move, in either direction, before the connection is aborted: <see cref="BaseProtocol.ConnectionLost"/> gets a <see cref="ConnectionLimitException"/>. Bytes count that the
    /// peer has sent, or that the system has taken for it; over TLS those of the app, not records without any. The time in which reading is paused and nothing waits to be sent is the app's own and
    /// does not count; that in which a peer does not take what waits does, also while the connection closes. A handshake of TLS has its own limit and comes before. As all limits of time it acts up
    /// to one part in 64 late, so that many connections share one wake-up. Null, the default: no limit.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>
    /// How long a peer may send nothing while its bytes are awaited, that is while reading is not paused and it has not ended its side, before the connection is aborted with a
    /// <see cref="ConnectionLimitException"/>, whatever goes the other way. For a client that keeps asking, how long an answer may take. Null, the default: no limit.
    /// </summary>
    public TimeSpan? ReadTimeout { get; init; }

    /// <summary>
    /// The fewest bytes per second that a peer may send while its bytes are awaited, as an average over each <see cref="MinReadRateGracePeriod"/>; one that sends fewer is aborted with a
    /// <see cref="ConnectionLimitException"/>. For protocols in which the peer always has something to send, or that pause reading when it has not. Zero, the default: no limit.
    /// </summary>
    public int MinReadRate { get; init; }

    /// <summary>The span over which <see cref="MinReadRate"/> is measured: from the first byte that could come on, and anew when reading is resumed. Default: 5 s.</summary>
    public TimeSpan MinReadRateGracePeriod { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether the two are the same object. What two options say is not compared: some of it, such as a callback, cannot be.</summary>
    /// <param name="other">The other.</param>
    public virtual bool Equals(StreamOptions? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
