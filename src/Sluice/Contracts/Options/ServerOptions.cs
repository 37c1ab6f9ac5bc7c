using System.Runtime.InteropServices;

namespace Sluice;

/// <summary>How a server listens, and how the connections that it accepts behave. Where it listens on several sockets, all of it holds for each.</summary>
public sealed record ServerOptions : StreamOptions
{
    internal static ServerOptions Default { get; } = new();

    /// <summary>How many connections the kernel may hold before they are accepted. At least 1. Default: 100.</summary>
    public int Backlog { get; init; } = 100;

    /// <summary>
    /// How many connections the server may have at a time, at least 1. One more is accepted and reset at once, without a protocol, so that
    /// its peer learns of it; the exception handler is told once, until the server has had room again. Null, the default: 80 % of the descriptors that the
    /// process may open when the server is made. (asyncio: no limit.)
    /// </summary>
    public int? MaxConnections { get; init; }

    /// <summary>
    /// When the server has <see cref="MaxConnections"/>, a new connection takes the place of the one that has been idle for longest, if that is at least so long; the old one is aborted with a
    /// <see cref="ConnectionLimitException"/>. Idle means that no byte has moved on it, or that it is in its handshake. So silent peers lock nobody out for longer than this; one that is only slow may
    /// lose its place. Zero takes any. Null, the default: the new connection is reset.
    /// </summary>
    public TimeSpan? ReplaceIdleAfter { get; init; }

    /// <summary>
    /// Listens on a TCP port although connections of an earlier listener still hold it (SO_REUSEADDR). Null, the default: as the
    /// system's servers do, which is true on Linux. (asyncio: <c>reuse_address</c>.)
    /// </summary>
    public bool? ReuseAddress { get; init; }

    /// <summary>
    /// Lets several servers, also of other processes, listen on one TCP port; the kernel spreads connections over them (SO_REUSEPORT). All have to ask
    /// for it. Default: false. (asyncio: <c>reuse_port</c>.)
    /// </summary>
    public bool ReusePort { get; init; }

    /// <summary>Starts accepting at once. Otherwise call <c>Server.StartServingAsync</c>. Default: true.</summary>
    public bool StartServing { get; init; } = true;

    /// <summary>
    /// How long the connections may take to finish when the token of <c>Server.ServeForeverAsync</c> is cancelled; then they are aborted.
    /// Zero aborts at once, <see cref="Timeout.InfiniteTimeSpan"/> waits for ever, as asyncio does. Default: 5 s.
    /// </summary>
    public TimeSpan DrainTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// In a drain, how long at most the news waits for the bytes of a connection: for the first data of one that is accepted during the drain, or is in its TLS handshake or silent since then, counted from
    /// its ConnectionMade, and for the delivery of what had arrived at one that does not read. Zero tells at once, <see cref="Timeout.InfiniteTimeSpan"/> waits until the drain's
    /// deadline. Default: 1 s.
    /// </summary>
    public TimeSpan DrainGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// A drain serves the connections that wait to be accepted when it begins; false resets them, as a close does. Those that wait at a socket which this process was only handed
    /// (<c>FromSystemd</c>) stay there for whoever serves it next. Default: true.
    /// </summary>
    public bool DrainServesBacklog { get; init; } = true;

    /// <summary>For a Unix socket: the permissions of its file, set before it can be connected to. Default: owner only (0600).</summary>
    public UnixFileMode UnixSocketMode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// For a Unix socket: its file is removed when the server closes, if it is still the same file. Default: true. (asyncio: <c>cleanup_socket</c>.)
    /// </summary>
    public bool CleanupSocket { get; init; } = true;

    /// <summary>
    /// For Unix sockets: says of each peer whether it is served; one that is not has its connection closed at once, without a protocol. Called on
    /// the loop's thread, in the server's ExecutionContext, before the protocol factory; a filter that throws refuses, and the exception handler is
    /// told. Null, the default, admits everyone whom the file's permissions let in; an abstract name has no permissions, so there only this process's
    /// own user is admitted. (asyncio has no counterpart.)
    /// </summary>
    public Func<PeerCredentials, bool>? UnixPeerFilter { get; init; }

    /// <summary>
    /// Speaks TLS as the server: a protocol hears nothing before the handshake has succeeded. A handshake that fails closes its connection and is
    /// reported in debug mode only. Null, the default: no TLS. (asyncio: <c>ssl</c>, <c>ssl_handshake_timeout</c>, <c>ssl_shutdown_timeout</c>.)
    /// </summary>
    public TlsServerOptions? Tls { get; init; }

    /// <summary>Listening sockets that this process was started with. They stay open when the server closes.</summary>
    internal IReadOnlyList<SafeHandle> HandedOver { get; init; } = [];
}
