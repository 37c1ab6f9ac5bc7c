namespace Sluice;

/// <summary>How a connection behaves whose socket your program has accepted itself.</summary>
public sealed record AcceptedSocketOptions : StreamOptions
{
    internal static AcceptedSocketOptions Default { get; } = new();

    /// <summary>Speaks TLS as the server. Null, the default: no TLS. (asyncio: <c>ssl</c>.)</summary>
    public TlsServerOptions? Tls { get; init; }
}
