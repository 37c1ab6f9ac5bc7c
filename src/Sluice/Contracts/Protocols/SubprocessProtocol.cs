namespace Sluice;

/// <summary>A protocol over a child process. (Guide: <i>Subprocess Protocols</i>.)</summary>
/// <remarks>
/// <code>
/// ConnectionMade -> (PipeDataReceived* -> PipeConnectionLost per pipe; ProcessExited once) -> ConnectionLost
/// </code>
/// <para>The order is certain only within a pipe: the end of the child may be heard of before its last output, or long before its pipes end, where a process that it has started holds
/// them. <see cref="BaseProtocol.ConnectionLost"/> comes once the child has ended and all pipes are lost. What a callback throws goes to the loop's exception handler, and nothing else
/// changes. <see cref="BaseProtocol.PauseWriting"/> and <see cref="BaseProtocol.ResumeWriting"/> are about the pipe to the standard input.</para>
/// </remarks>
public abstract class SubprocessProtocol : BaseProtocol, IProtocol<ISubprocessTransport>
{
    BaseProtocol IProtocol<ISubprocessTransport>.Instance => this;

    /// <summary>The child runs, and its pipes are there. Called once, before every other callback. (asyncio: <c>connection_made</c>.)</summary>
    /// <param name="transport">The transport. Keep it: nobody else will hand it to you.</param>
    public virtual void ConnectionMade(ISubprocessTransport transport)
    {
    }

    /// <summary>The child, or who has its pipe from it, has written. (asyncio: <c>pipe_data_received</c>.)</summary>
    /// <param name="fd">The descriptor in the child: 1 or 2.</param>
    /// <param name="data">The bytes, never empty, good until the callback returns.</param>
    public virtual void PipeDataReceived(int fd, ReadOnlySpan<byte> data)
    {
    }

    /// <summary>One of the pipes has closed; once for each. (asyncio: <c>pipe_connection_lost</c>.)</summary>
    /// <param name="fd">The descriptor in the child: 0, 1 or 2.</param>
    /// <param name="exception">Null for an orderly end; what broke the pipe, for the standard input mostly that nobody read any more.</param>
    public virtual void PipeConnectionLost(int fd, Exception? exception)
    {
    }

    /// <summary>
    /// The child has ended: <see cref="ISubprocessTransport.ReturnCode"/> says how. Its pipes may still hold data. Called once. (asyncio: <c>process_exited</c>.)
    /// </summary>
    public virtual void ProcessExited()
    {
    }
}
