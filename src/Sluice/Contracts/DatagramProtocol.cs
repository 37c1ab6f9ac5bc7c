using System.Net;

namespace Sluice;

/// <summary>A protocol over datagrams such as UDP. (Guide: <i>Datagram Protocols</i>.)</summary>
/// <remarks><code>
/// ConnectionMade -> (DatagramReceived | ErrorReceived)* -> ConnectionLost
/// </code></remarks>
public abstract class DatagramProtocol : BaseProtocol, IProtocol<IDatagramTransport>
{
    BaseProtocol IProtocol<IDatagramTransport>.Instance => this;

    /// <inheritdoc cref="IProtocol{TTransport}.ConnectionMade"/>
    public virtual void ConnectionMade(IDatagramTransport transport)
    {
    }

    /// <summary>One datagram has arrived; it may be empty.</summary>
    /// <param name="data">The payload, good until the callback returns.</param>
    /// <param name="address">The sender.</param>
    public virtual void DatagramReceived(ReadOnlySpan<byte> data, EndPoint address)
    {
    }

    /// <summary>An earlier send or receive failed, for example because nobody listens at the receiver. The endpoint stays usable.</summary>
    /// <param name="exception">What the system reported.</param>
    public virtual void ErrorReceived(Exception exception)
    {
    }
}
