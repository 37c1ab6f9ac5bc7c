namespace Sluice;

/// <summary>
/// The write buffer of a connection passed its hard limit because the peer does not read: the connection was aborted. It reaches
/// <see cref="BaseProtocol.ConnectionLost"/>; the write itself returns normally. On a datagram endpoint it reaches
/// <see cref="DatagramProtocol.ErrorReceived"/>: the newest datagram was dropped, and the endpoint stays.
/// </summary>
public sealed class WriteBufferLimitException : IOException
{
    /// <summary>For the limit that was passed.</summary>
    /// <param name="limit">The limit in bytes.</param>
    public WriteBufferLimitException(int limit)
        : base($"More than {limit:N0} bytes wait to be sent and the peer does not read them: the connection was aborted. Honour PauseWriting, or raise MaxWriteBufferSize.")
        => Limit = limit;

    internal WriteBufferLimitException(int limit, string message) : base(message) => Limit = limit;

    /// <summary>The limit in bytes.</summary>
    public int Limit { get; }
}
