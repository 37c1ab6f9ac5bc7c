using System.Runtime.InteropServices;

namespace Sluice;

/// <summary>How a server listens, and how the connections that it accepts behave.</summary>
public sealed record ServerOptions : StreamOptions
{
    internal static ServerOptions Default { get; } = new();

    /// <summary>How many connections the kernel may hold before they are accepted. Default: 100.</summary>
    public int Backlog { get; init; } = 100;

    /// <summary>Starts accepting at once. Otherwise call <c>Server.StartServingAsync</c>. Default: true.</summary>
    public bool StartServing { get; init; } = true;

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

    /// <summary>Listening sockets that this process was started with. They stay open when the server closes.</summary>
    internal IReadOnlyList<SafeHandle> HandedOver { get; init; } = [];
}
