namespace Sluice;

/// <summary>A protocol that only receives: for the reading end of a pipe; it fits a duplex stream too.</summary>
/// <remarks><code>
/// ConnectionMade -> DataReceived* -> EofReceived? -> ConnectionLost
/// </code></remarks>
public abstract class ReadProtocol : StreamProtocol, IProtocol<IReadTransport>, IProtocol<ITransport>
{
    BaseProtocol IProtocol<IReadTransport>.Instance => this;

    BaseProtocol IProtocol<ITransport>.Instance => this;

    /// <inheritdoc cref="IProtocol{TTransport}.ConnectionMade"/>
    public virtual void ConnectionMade(IReadTransport transport)
    {
    }

    void IProtocol<ITransport>.ConnectionMade(ITransport transport) => ConnectionMade(transport);
}
