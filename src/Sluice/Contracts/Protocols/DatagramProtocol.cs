using System.Net;

namespace Sluice;

/// <summary>A protocol over datagrams such as UDP. (Guide: <i>Datagram Protocols</i>.)</summary>
/// <remarks>
/// <code>
/// ConnectionMade -> (DatagramReceived | ErrorReceived)* -> ConnectionLost
/// </code>
/// Most losses are silent: a datagram that a network, a receiver's full buffer or a firewall has dropped is an error nowhere.
/// </remarks>
public abstract class DatagramProtocol : BaseProtocol, IProtocol<IDatagramTransport>
{
    BaseProtocol IProtocol<IDatagramTransport>.Instance => this;

    /// <inheritdoc cref="IProtocol{TTransport}.ConnectionMade"/>
    public virtual void ConnectionMade(IDatagramTransport transport)
    {
    }

    /// <summary>
    /// One datagram has arrived, whole; it may be empty. An exception goes to the loop's exception handler, and the endpoint goes on. (asyncio:
    /// <c>datagram_received</c>.)
    /// </summary>
    /// <param name="data">The payload, good until the callback returns.</param>
    /// <param name="address">The sender, which may be kept; null for a Unix socket without a name.</param>
    public virtual void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address)
    {
    }

    /// <summary>
    /// An earlier send or a receive failed; the endpoint stays usable, and the datagram concerned is lost. Told by some systems only, and for some failures
    /// only: on a connected endpoint, that nobody listens at the peer's port. May be called inside <see cref="IDatagramTransport.SendTo"/>. An exception
    /// goes to the loop's exception handler. (asyncio: <c>error_received</c>.)
    /// </summary>
    /// <param name="exception">
    /// A <see cref="System.Net.Sockets.SocketException"/> of the system; a <see cref="WriteBufferLimitException"/> where a datagram was dropped because too much waits to be sent.
    /// </param>
    public virtual void ErrorReceived(Exception exception)
    {
    }
}
