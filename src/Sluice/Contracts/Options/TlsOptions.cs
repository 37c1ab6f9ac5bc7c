using System.Runtime.CompilerServices;

namespace Sluice;

/// <summary>What TLS connections of both roles share: deadlines, and what is taken from a peer that does not end as it should.</summary>
/// <remarks>
/// The handshake runs on the loop's thread, as do the callbacks of .NET's options; asyncio's <c>ssl.SSLContext</c> is
/// <see cref="TlsClientOptions.Authentication"/> and <see cref="TlsServerOptions.Authentication"/>. Whichever of their settings is left at its
/// default means: TLS 1.2 or 1.3, and nothing fetched from the network to judge a certificate. Renegotiation is always off. Certificates with RSA keys below 2048 bits, curves
/// below 224, or signatures over MD5 or SHA-1 anywhere below the root count as errors of the chain; a validation callback has the last word.
/// </remarks>
public abstract record TlsOptions
{
    /// <summary>The default of <see cref="HandshakeTimeout"/> for clients: 60 s, as asyncio's <c>ssl_handshake_timeout</c>.</summary>
    public static readonly TimeSpan DefaultClientHandshakeTimeout = TimeSpan.FromSeconds(60);

    /// <summary>The default of <see cref="HandshakeTimeout"/> for servers: 10 s (asyncio: 60 s).</summary>
    public static readonly TimeSpan DefaultServerHandshakeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>The default of <see cref="ShutdownTimeout"/>: 30 s, as asyncio's <c>ssl_shutdown_timeout</c>.</summary>
    public static readonly TimeSpan DefaultShutdownTimeout = TimeSpan.FromSeconds(30);

    /// <summary>How long at most the peer's own end is waited for, once everything of ours has been sent: 3 s.</summary>
    public static readonly TimeSpan PeerShutdownTimeout = TimeSpan.FromSeconds(3);

    private protected TlsOptions(TimeSpan handshakeTimeout) => HandshakeTimeout = handshakeTimeout;

    /// <summary>
    /// How long the handshake may take in all, counted from the connection below being there; then that is aborted. Positive, and never
    /// without end. (asyncio: <c>ssl_handshake_timeout</c>.)
    /// </summary>
    public TimeSpan HandshakeTimeout { get; init; }

    /// <summary>
    /// How long a close may take in all: what was written, TLS's own goodbye, and at most <see cref="PeerShutdownTimeout"/> of it for the peer's.
    /// Then the connection is aborted, and <see cref="BaseProtocol.ConnectionLost"/> gets a <see cref="TimeoutException"/>. Positive, and never
    /// without end. (asyncio: <c>ssl_shutdown_timeout</c>.)
    /// </summary>
    public TimeSpan ShutdownTimeout { get; init; } = DefaultShutdownTimeout;

    /// <summary>
    /// Takes a bare end of the connection below for the end of the stream. Without TLS's own goodbye nobody knows whether the peer ended or
    /// somebody cut the connection, so the default is false: <see cref="BaseProtocol.ConnectionLost"/> gets a
    /// <see cref="TlsTruncatedException"/>, and no <c>EofReceived</c> comes. (asyncio: as true.)
    /// </summary>
    public bool AllowTruncation { get; init; }

    /// <summary>
    /// For <c>EventLoop.StartTlsAsync</c>: hands bytes to the handshake that had arrived before the upgrade and that nobody has read. The default is false: such
    /// bytes fail the upgrade, because whoever sent them did not wait for the upgrade to be agreed on. Never does the protocol get them.
    /// </summary>
    public bool HandOverUnread { get; init; }

    /// <summary>What was made of the options of .NET, kept so that it is made once.</summary>
    internal object? Prepared { get; set; }

    /// <summary>Whether the two are the same object. What two options say is not compared: some of it, such as a callback, cannot be.</summary>
    /// <param name="other">The other.</param>
    public virtual bool Equals(TlsOptions? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
