namespace Sluice;

/// <summary>
/// A connection was aborted because it reached one of the limits that its options set. It reaches <see cref="BaseProtocol.ConnectionLost"/>; what was still to be sent is dropped, and the peer sees
/// a reset.
/// </summary>
public sealed class ConnectionLimitException : IOException
{
    /// <summary>For the limit that was reached.</summary>
    /// <param name="limit">Which.</param>
    public ConnectionLimitException(ConnectionLimit limit)
        : base(limit switch
        {
            ConnectionLimit.IdleTimeout => "No byte moved for as long as IdleTimeout allows: the connection was aborted.",
            ConnectionLimit.ReadTimeout => "The peer sent nothing for as long as ReadTimeout allows: the connection was aborted.",
            ConnectionLimit.MinReadRate => "The peer sends more slowly than MinReadRate allows: the connection was aborted.",
            ConnectionLimit.MaxConnections => "The server has as many connections as it may, and this one was idle for longest: it was aborted to make room for a new one.",
            _ => throw new ArgumentOutOfRangeException(nameof(limit), limit, "No such limit."),
        }) => Limit = limit;

    /// <summary>The limit that was reached.</summary>
    public ConnectionLimit Limit { get; }
}
