namespace Sluice;

/// <summary>A protocol over a child process. (Guide: <i>Subprocess Protocols</i>.)</summary>
/// <remarks><code>
/// ConnectionMade -> (PipeDataReceived* -> PipeConnectionLost per pipe; ProcessExited once) -> ConnectionLost
/// </code></remarks>
public abstract class SubprocessProtocol : BaseProtocol, IProtocol<ISubprocessTransport>
{
    BaseProtocol IProtocol<ISubprocessTransport>.Instance => this;

    /// <inheritdoc cref="IProtocol{TTransport}.ConnectionMade"/>
    public virtual void ConnectionMade(ISubprocessTransport transport)
    {
    }

    /// <summary>The child has written to one of its pipes.</summary>
    /// <param name="fd">The descriptor in the child: 1 or 2.</param>
    /// <param name="data">The bytes, never empty, good until the callback returns.</param>
    public virtual void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
    {
    }

    /// <summary>One of the pipes has closed.</summary>
    /// <param name="fd">The descriptor in the child: 0, 1 or 2.</param>
    /// <param name="exception">What ended it, or null for an orderly end.</param>
    public virtual void PipeConnectionLost(int fd, Exception? exception)
    {
    }

    /// <summary>The child has ended. Its pipes may still hold data.</summary>
    public virtual void ProcessExited()
    {
    }
}
