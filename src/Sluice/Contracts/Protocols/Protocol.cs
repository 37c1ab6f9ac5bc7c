namespace Sluice;

/// <summary>
/// A protocol over a duplex stream such as TCP: the class to derive from unless another is needed. (Guide: <i>Streaming Protocols</i>.)
/// </summary>
/// <remarks><code>
/// ConnectionMade -> DataReceived* -> EofReceived? -> ConnectionLost
/// </code></remarks>
public abstract class Protocol : StreamProtocol, IProtocol<ITransport>
{
    BaseProtocol IProtocol<ITransport>.Instance => this;

    /// <inheritdoc cref="IProtocol{TTransport}.ConnectionMade"/>
    public virtual void ConnectionMade(ITransport transport)
    {
    }
}
