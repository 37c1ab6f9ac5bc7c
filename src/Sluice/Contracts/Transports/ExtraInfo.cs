using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

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

    /// <summary><c>"sslcontext"</c>: the options that a TLS transport was made with.</summary>
    public static ExtraInfo<TlsOptions> Tls { get; } = new("sslcontext");

    /// <summary><c>"peercert"</c>: the peer's certificate; null where it has shown none. Like all that TLS agreed on, still answered after the connection is lost.</summary>
    public static ExtraInfo<X509Certificate2> PeerCertificate { get; } = new("peercert");

    /// <summary><c>"cipher"</c>: the cipher suite and the version of the protocol.</summary>
    public static ExtraInfo<TlsCipher> Cipher { get; } = new("cipher");

    /// <summary><c>"compression"</c>: always null. TLS compresses nothing any more.</summary>
    public static ExtraInfo<string> Compression { get; } = new("compression");

    /// <summary>
    /// <c>"ssl_object"</c>: .NET's object, for facts that have no key here. Only read its properties: the transport reads and writes.
    /// </summary>
    public static ExtraInfo<SslStream> SslStream { get; } = new("ssl_object");

    /// <summary><c>"alpn_protocol"</c>: the application protocol that both sides agreed on, or null. (asyncio: <c>ssl_object.selected_alpn_protocol()</c>.)</summary>
    public static ExtraInfo<string> ApplicationProtocol { get; } = new("alpn_protocol");

    /// <summary>
    /// <c>"server_hostname"</c>: the name that the client asked for, or null. (asyncio: <c>ssl_object.server_hostname</c>, on clients only.)
    /// </summary>
    public static ExtraInfo<string> ServerName { get; } = new("server_hostname");
}
