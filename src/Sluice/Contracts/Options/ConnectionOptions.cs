using System.Net;
using System.Net.Sockets;

namespace Sluice;

/// <summary>How a connection is opened, and how it behaves.</summary>
public sealed record ConnectionOptions : StreamOptions
{
    internal static ConnectionOptions Default { get; } = new();

    /// <summary>
    /// The local address to connect from: an <see cref="IPEndPoint"/> (port 0: the system chooses) or a <see cref="DnsEndPoint"/>, of whose
    /// addresses those in the remote's family are tried in order until one can be bound. Null, the default: the system chooses. Not for Unix
    /// sockets. (asyncio: <c>local_addr</c>.)
    /// </summary>
    public EndPoint? LocalEndPoint { get; init; }

    /// <summary>
    /// How long an attempt may take before the next address is tried beside it; the first to succeed wins, and the others are closed. An attempt that
    /// fails starts the next at once. 250 ms is what RFC 8305 recommends for names with IPv6 and IPv4 addresses. Null, the default: one
    /// address after the other, each tried to its end. (asyncio: <c>happy_eyeballs_delay</c>.)
    /// </summary>
    public TimeSpan? HappyEyeballsDelay { get; init; }

    /// <summary>
    /// Reorders the addresses so that the families take turns, the first address's family first: n gives that family n addresses before the
    /// turns begin, 0 keeps the resolver's order. Null, the default: 1 with a <see cref="HappyEyeballsDelay"/>, else 0. (asyncio:
    /// <c>interleave</c>.)
    /// </summary>
    public int? Interleave { get; init; }

    /// <summary>
    /// When no address could be connected to, the task fails with an <see cref="AggregateException"/> of all failures in the order of the
    /// attempts, even if there is one only. Default: false, one <see cref="SocketException"/>. (asyncio: <c>all_errors</c>.)
    /// </summary>
    public bool AllErrors { get; init; }

    /// <summary>
    /// Asks for addresses of one family: <see cref="AddressFamily.InterNetwork"/> or <see cref="AddressFamily.InterNetworkV6"/>. Default:
    /// <see cref="AddressFamily.Unspecified"/>, both. (asyncio: <c>family</c>.)
    /// </summary>
    public AddressFamily AddressFamily { get; init; }

    /// <summary>
    /// Speaks TLS as the client: the protocol hears nothing before the handshake has succeeded. Null, the default: no TLS. (asyncio: <c>ssl</c>,
    /// <c>server_hostname</c>, <c>ssl_handshake_timeout</c>, <c>ssl_shutdown_timeout</c>.)
    /// </summary>
    public TlsClientOptions? Tls { get; init; }
}
