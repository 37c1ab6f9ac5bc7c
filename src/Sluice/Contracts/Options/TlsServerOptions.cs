using System.Net.Security;

namespace Sluice;

/// <summary>TLS for the side that accepts.</summary>
public sealed record TlsServerOptions : TlsOptions
{
    /// <summary>The default of <see cref="MaxHandshakes"/>: 256. A loop is one core's work.</summary>
    public const int DefaultMaxHandshakes = 256;

    /// <summary>With .NET's own options.</summary>
    /// <param name="authentication"><see cref="Authentication"/>.</param>
    public TlsServerOptions(SslServerAuthenticationOptions authentication) : base(DefaultServerHandshakeTimeout)
    {
        ArgumentNullException.ThrowIfNull(authentication);
        Authentication = authentication;
    }

    /// <summary>
    /// .NET's options: the certificate or its context, its choice by the name that the client asks for, protocols, ALPN, client certificates, the validation
    /// callback. Read when they are first used; later changes go unnoticed. Callbacks run on the loop's thread.
    /// </summary>
    public SslServerAuthenticationOptions Authentication { get; init; }

    /// <summary>
    /// How many handshakes a server may have under way at a time, at least 1; a connection beyond it is reset at once and counts as refused. Default:
    /// <see cref="DefaultMaxHandshakes"/>. (asyncio: no limit.)
    /// </summary>
    public int MaxHandshakes { get; init; } = DefaultMaxHandshakes;
}
