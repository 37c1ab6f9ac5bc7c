using System.Net.Security;

namespace Sluice;

/// <summary>TLS for the side that connects. The default checks the server's certificate against the system's roots, and the host's name in it.</summary>
public sealed record TlsClientOptions : TlsOptions
{
    /// <summary>With every default.</summary>
    public TlsClientOptions() : base(DefaultClientHandshakeTimeout)
    {
    }

    /// <summary>With .NET's own options.</summary>
    /// <param name="authentication"><see cref="Authentication"/>.</param>
    public TlsClientOptions(SslClientAuthenticationOptions authentication) : this()
    {
        ArgumentNullException.ThrowIfNull(authentication);
        Authentication = authentication;
    }

    /// <summary>
    /// .NET's options: protocols, ALPN, client certificates, the validation callback. Read when they are first used; later changes go unnoticed. Callbacks run on the
    /// loop's thread.
    /// </summary>
    /// <remarks>
    /// <see cref="SslClientAuthenticationOptions.TargetHost"/> is asyncio's <c>server_hostname</c>: null, the default, is the host that is connected to; a connection that
    /// names none (a Unix socket, a socket of your own, an upgrade) needs it. An empty string sends no name and switches off the check of the name,
    /// and only that: the certificate must still be trusted.
    /// </remarks>
    public SslClientAuthenticationOptions Authentication { get; init; } = new();
}
