using Sluice.Connecting;
using Sluice.Tls;
using Sluice.Transports;

namespace Sluice;

/// <content>Upgrading to TLS.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Upgrades a connection to TLS as the client: STARTTLS and its like. Returns the transport to use from then on; the protocol stays, and gets no second
    /// ConnectionMade. (asyncio: <c>start_tls</c>.)
    /// </summary>
    /// <remarks>
    /// <para>Call it once both sides have agreed to upgrade. What was written before leaves in front, unencrypted. The old transport then only carries the new one: closing or aborting it
    /// does that to the new one, all else that acts throws.</para>
    /// <para>The caller resumes before the first data. If the handshake fails, or is cancelled, the connection is closed, and the protocol gets
    /// ConnectionLost: with the exception of the task, or null after a cancellation.</para>
    /// </remarks>
    /// <param name="transport">An open stream transport of this loop: TCP, Unix, TLS itself, or one of your own.</param>
    /// <param name="protocol">The protocol to call from now on, which <paramref name="transport"/> serves already, or another one that nobody serves.</param>
    /// <param name="options">The client's TLS. <c>TargetHost</c> is needed: the transport does not know the host's name.</param>
    /// <param name="received">Bytes of the peer's handshake that the protocol has received already. They are not needed after the call.</param>
    /// <param name="cancellationToken">Gives up, and closes the connection.</param>
    /// <exception cref="ArgumentException">The options name no host, a deadline is none, or the protocol serves another transport.</exception>
    /// <exception cref="InvalidOperationException">The transport is closing, is of another loop or below TLS already; or called off the loop's thread.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">
    /// In the task: the handshake failed; or bytes had arrived before the upgrade that nobody has read (see <see cref="TlsOptions.HandOverUnread"/>).
    /// </exception>
    /// <exception cref="System.Net.Sockets.SocketException">In the task: the connection ended, or the handshake took too long (ConnectionAborted).</exception>
    public Task<ITransport> StartTlsAsync(
        ITransport transport,
        IProtocol<ITransport> protocol,
        TlsClientOptions options,
        ReadOnlyMemory<byte> received = default,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return StartTls(transport, protocol, TlsClientRole.Of(options, null, nameof(options)), received, cancellationToken);
    }

    /// <summary>
    /// Upgrades a connection to TLS as the server: STARTTLS and its like. Returns the transport to use from then on; the protocol stays, and gets no second
    /// ConnectionMade. (asyncio: <c>start_tls(server_side=True)</c>.)
    /// </summary>
    /// <inheritdoc cref="StartTlsAsync(ITransport, IProtocol{ITransport}, TlsClientOptions, ReadOnlyMemory{byte}, CancellationToken)"/>
    /// <param name="transport">An open stream transport of this loop: TCP, Unix, TLS itself, or one of your own.</param>
    /// <param name="protocol">The protocol to call from now on, which <paramref name="transport"/> serves already, or another one that nobody serves.</param>
    /// <param name="options">The server's TLS.</param>
    /// <param name="received">Bytes of the peer's handshake that the protocol has received already. They are not needed after the call.</param>
    /// <param name="cancellationToken">Gives up, and closes the connection.</param>
    public Task<ITransport> StartTlsAsync(
        ITransport transport,
        IProtocol<ITransport> protocol,
        TlsServerOptions options,
        ReadOnlyMemory<byte> received = default,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        return StartTls(transport, protocol, TlsServerRole.Of(options, nameof(options)), received, cancellationToken);
    }

    private Task<ITransport> StartTls(
        ITransport transport, IProtocol<ITransport> protocol, TlsRole role, ReadOnlyMemory<byte> received, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentNullException.ThrowIfNull(protocol);
        _core.VerifyUsable();
        if (!ReferenceEquals(transport.Protocol, protocol.Instance)) ProtocolBinding.CheckFree(transport, protocol.Instance);
        if (transport.IsClosing) throw new InvalidOperationException("The transport is closing.");
        if (transport.Protocol is FileRelay) throw FileSend.InProgress();
        if (transport is StreamTransport own)
        {
            if (own.Loop != _core) throw new InvalidOperationException("The transport belongs to another loop.");
            if (own.IsBelow) throw new InvalidOperationException("This transport carries a TLS connection already: upgrade that one.");
            if (own.File is not null) throw FileSend.InProgress();
        }

        return cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<ITransport>(cancellationToken)
            : new TlsUpgrade(Services, cancellationToken).Start(transport, protocol, role, received);
    }
}
