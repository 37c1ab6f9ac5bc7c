namespace Sluice;

/// <summary>A protocol that only sends: for the writing end of a pipe. It does not fit a duplex stream, whose input it could not take.</summary>
/// <remarks><code>
/// ConnectionMade -> (PauseWriting -> ResumeWriting)* -> ConnectionLost
/// </code></remarks>
public abstract class WriteProtocol : BaseProtocol, IProtocol<IWriteTransport>
{
    BaseProtocol IProtocol<IWriteTransport>.Instance => this;

    /// <inheritdoc cref="IProtocol{TTransport}.ConnectionMade"/>
    public virtual void ConnectionMade(IWriteTransport transport)
    {
    }
}
