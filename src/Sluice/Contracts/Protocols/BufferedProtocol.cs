namespace Sluice;

/// <summary>
/// A protocol over a duplex stream that owns its receive buffer: the kernel writes straight into it. (Guide: <i>Buffered Streaming
/// Protocols</i>.)
/// </summary>
/// <remarks><code>
/// ConnectionMade -> (GetBuffer -> BufferUpdated?)* -> EofReceived? -> ConnectionLost
/// </code></remarks>
public abstract class BufferedProtocol : BaseProtocol, IProtocol<ITransport>
{
    BaseProtocol IProtocol<ITransport>.Instance => this;

    /// <inheritdoc cref="IProtocol{TTransport}.ConnectionMade"/>
    public virtual void ConnectionMade(ITransport transport)
    {
    }

    /// <summary>
    /// Asks for memory to receive into. It may be asked for any number of times, also without a <see cref="BufferUpdated"/> after it, and not
    /// after <see cref="EofReceived"/>. An exception, or an empty buffer, resets the connection.
    /// </summary>
    /// <param name="sizeHint">The recommended smallest size in bytes, or -1 for any. A smaller or larger buffer is allowed.</param>
    /// <returns>Memory of at least one byte. It is written before <see cref="BufferUpdated"/> is called, and not kept after it returns.</returns>
    public abstract Memory<byte> GetBuffer(int sizeHint);

    /// <summary>
    /// The buffer's first bytes have been filled. An exception goes to the loop's exception handler, the connection is reset, and
    /// <see cref="BaseProtocol.ConnectionLost"/> gets the exception.
    /// </summary>
    /// <param name="count">How many bytes, at least 1.</param>
    public abstract void BufferUpdated(int count);

    /// <inheritdoc cref="StreamProtocol.EofReceived"/>
    public virtual bool EofReceived() => false;

    /// <inheritdoc cref="StreamProtocol.DrainRequested"/>
    public virtual void DrainRequested()
    {
    }
}
