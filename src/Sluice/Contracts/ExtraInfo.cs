using System.Net;

namespace Sluice;

/// <summary>A typed key for <see cref="IBaseTransport.TryGetExtraInfo"/>, with asyncio's name for the same fact.</summary>
/// <typeparam name="T">The type of the fact.</typeparam>
public sealed class ExtraInfo<T>
{
    internal ExtraInfo(string name) => Name = name;

    /// <summary>asyncio's name, as <see cref="IBaseTransport.GetExtraInfo(string, object?)"/> takes it.</summary>
    public string Name { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>The keys that transports answer. A transport that does not know a key says so and never throws.</summary>
public static class ExtraInfo
{
    /// <summary><c>"socket"</c>: options, names and the handle of the socket below; the same object at every call.</summary>
    public static ExtraInfo<TransportSocket> Socket { get; } = new("socket");

    /// <summary><c>"sockname"</c>: the local address; still answered after the connection is lost.</summary>
    public static ExtraInfo<EndPoint> SocketName { get; } = new("sockname");

    /// <summary><c>"peername"</c>: the peer's address; still answered after the connection is lost.</summary>
    public static ExtraInfo<EndPoint> PeerName { get; } = new("peername");

    /// <summary>
    /// <c>"peercred"</c>: process, user and group of a Unix peer; null on TCP. The kernel is asked when you first ask, and not after the connection is
    /// released; an answer once given stays. (asyncio has no counterpart.)
    /// </summary>
    public static ExtraInfo<PeerCredentials> PeerCredentials { get; } = new("peercred");

    /// <summary><c>"pipe"</c>: what was given to the loop as one end of a pipe: a handle, a stream, a socket. It is the transport's, and closed with it.</summary>
    public static ExtraInfo<object> Pipe { get; } = new("pipe");

    /// <summary><c>"subprocess"</c>: what is known of a child process; the same object at every call.</summary>
    public static ExtraInfo<SubprocessInfo> Subprocess { get; } = new("subprocess");
}
