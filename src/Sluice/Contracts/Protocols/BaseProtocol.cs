namespace Sluice;

/// <summary>
/// The callbacks that all protocols share. (Guide: <i>Base Protocol</i>.) A closed family: derive from one of the protocols below it.
/// </summary>
/// <remarks>
/// All callbacks come on the loop's thread, one at a time, in the <see cref="ExecutionContext"/> of the call that created the
/// connection or the server. A protocol serves one transport at a time.
/// </remarks>
public abstract class BaseProtocol
{
    private protected BaseProtocol()
    {
    }

    /// <summary>The transport that this protocol serves now; guards the 1:1 relation.</summary>
    internal IBaseTransport? Serves
    {
        get;
        set
        {
            field = value;
            if (value is null) OnReleased();
        }
    }

    /// <summary>It serves no transport any more: the connection is lost, or another protocol is in its place.</summary>
    internal virtual void OnReleased()
    {
    }

    /// <summary>
    /// The connection is over. Called once, last, in a turn of its own: never inside Close, Abort or a write. An exception goes to the
    /// loop's exception handler; the connection is released all the same.
    /// </summary>
    /// <param name="exception">
    /// Null after an orderly end of stream, Close or Abort; otherwise what ended it: a <see cref="System.Net.Sockets.SocketException"/>, a
    /// <see cref="WriteBufferLimitException"/>, or the exception that a callback threw.
    /// </param>
    public virtual void ConnectionLost(Exception? exception)
    {
    }

    /// <summary>
    /// The write buffer has grown above its high watermark: stop writing. Called inside the write that did it, once until
    /// <see cref="ResumeWriting"/>. An exception goes to the loop's exception handler; nothing else changes.
    /// </summary>
    public virtual void PauseWriting()
    {
    }

    /// <summary>
    /// The write buffer has drained to its low watermark or below: write again. Strictly alternates with <see cref="PauseWriting"/>,
    /// and is not called for a connection that is lost. An exception goes to the loop's exception handler; nothing else changes.
    /// </summary>
    public virtual void ResumeWriting()
    {
    }
}
