using System.Runtime.InteropServices;

namespace Sluice;

/// <summary>A child process and its pipes. (Guide: <i>Subprocess Transports</i>.)</summary>
/// <remarks>
/// <para>Made by <c>EventLoop.SubprocessExecAsync</c> and <c>SubprocessShellAsync</c>. <see cref="IBaseTransport.Close"/> closes the pipes at once (what still waits for the standard
/// input is dropped) and kills a child that has not ended; then every callback that is due still comes, <see cref="BaseProtocol.ConnectionLost"/> with null last. Nobody has to wait
/// for a child: the loop does, and no zombie stays. A child that ends by itself leaves <see cref="IBaseTransport.IsClosing"/> false until you call Close, which then has no
/// other effect.</para>
/// <para>Signals reach the child that was started or nobody: never a process that was given its number later. On Windows, Terminate and Kill both end the child at once
/// (TerminateProcess), and other signals are not supported.</para>
/// </remarks>
public interface ISubprocessTransport : IBaseTransport
{
    /// <summary>The child's process id. Once the child has ended it may be another's. (asyncio: <c>get_pid</c>.)</summary>
    int ProcessId { get; }

    /// <summary>
    /// The exit code, -N where signal N ended the child, or null until the loop has noticed the end. 255 where another part of this process has taken the status before the
    /// loop could; a warning is logged then. (asyncio: <c>get_returncode</c>.)
    /// </summary>
    int? ReturnCode { get; }

    /// <summary>The pipe to the child's standard input, or null where it has none. Close it to let the child see the end. (asyncio: <c>get_pipe_transport(0)</c>.)</summary>
    IWriteTransport? StandardInput { get; }

    /// <summary>
    /// The pipe from the child's standard output, or null where it has none. Its data comes to <see cref="SubprocessProtocol.PipeDataReceived"/>, unless you give the pipe
    /// a protocol of its own. (asyncio: <c>get_pipe_transport(1)</c>.)
    /// </summary>
    IReadTransport? StandardOutput { get; }

    /// <summary>The pipe from the child's standard error, or null where it has none; else as <see cref="StandardOutput"/>. (asyncio: <c>get_pipe_transport(2)</c>.)</summary>
    IReadTransport? StandardError { get; }

    /// <summary>Sends a signal to the child. (asyncio: <c>send_signal</c>.)</summary>
    /// <param name="signal">A named signal, or the system's number of any other.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such signal.</exception>
    /// <exception cref="ProcessLookupException">The child has ended and <see cref="ReturnCode"/> says how.</exception>
    /// <exception cref="UnauthorizedAccessException">The child runs as somebody else.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void SendSignal(PosixSignal signal);

    /// <summary>Asks the child to end (SIGTERM), which it may ignore. (asyncio: <c>terminate</c>.)</summary>
    /// <exception cref="ProcessLookupException">The child has ended and <see cref="ReturnCode"/> says how.</exception>
    /// <exception cref="UnauthorizedAccessException">The child runs as somebody else.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void Terminate();

    /// <summary>Ends the child (SIGKILL). Children of its own live on. (asyncio: <c>kill</c>.)</summary>
    /// <exception cref="ProcessLookupException">The child has ended and <see cref="ReturnCode"/> says how.</exception>
    /// <exception cref="UnauthorizedAccessException">The child runs as somebody else.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    void Kill();
}
