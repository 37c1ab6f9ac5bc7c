namespace Sluice;

/// <summary>
/// The callbacks of protocols that receive a stream: the base of <see cref="Protocol"/> and <see cref="ReadProtocol"/>.
/// (Guide: <i>Streaming Protocols</i>.)
/// </summary>
public abstract class StreamProtocol : BaseProtocol
{
    private protected StreamProtocol()
    {
    }

    /// <summary>
    /// Bytes have arrived, in order and never empty. How the stream was cut into writes does not show: parse accordingly. An exception
    /// goes to the loop's exception handler, the connection is reset, and <see cref="BaseProtocol.ConnectionLost"/> gets the exception.
    /// </summary>
    /// <param name="data">The bytes, good until the callback returns: the memory is the loop's own. At most 256 KiB.</param>
    public virtual void DataReceived(ReadOnlySpan<byte> data)
    {
    }

    /// <summary>
    /// The peer will send no more. Called at most once; no data follows. An exception is treated as one of <see cref="DataReceived"/>.
    /// </summary>
    /// <returns>
    /// False (the default): the transport closes itself once everything written is sent. True: it stays open for writing until you close it.
    /// </returns>
    public virtual bool EofReceived() => false;

    /// <summary>
    /// The server drains: finish what is under way and close. Called at most once per connection, in a turn of its own, and not for one that is closing already. What had arrived by then
    /// is delivered first; one that was not made yet, or has been silent since its TLS handshake, hears of it behind its first data; but neither waits longer than <see cref="ServerOptions.DrainGrace"/>. What is open at the
    /// deadline is aborted. An exception goes to the loop's exception handler; nothing else changes. (asyncio has no counterpart; see <c>Server.DrainAsync</c>.)
    /// </summary>
    public virtual void DrainRequested()
    {
    }
}
