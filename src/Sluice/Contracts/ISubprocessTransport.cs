using System.Runtime.InteropServices;

namespace Sluice;

/// <summary>A child process and its pipes. (Guide: <i>Subprocess Transports</i>.)</summary>
/// <remarks>The contract that subprocess protocols are written against; no loop method of this version makes one yet.</remarks>
public interface ISubprocessTransport : IBaseTransport
{
    /// <summary>The child's process id.</summary>
    int ProcessId { get; }

    /// <summary>The exit code, -N where signal N ended the child, or null while it runs.</summary>
    int? ReturnCode { get; }

    /// <summary>The pipe to the child's standard input, or null where it has none.</summary>
    IWriteTransport? StandardInput { get; }

    /// <summary>The pipe from the child's standard output, or null where it has none.</summary>
    IReadTransport? StandardOutput { get; }

    /// <summary>The pipe from the child's standard error, or null where it has none.</summary>
    IReadTransport? StandardError { get; }

    /// <summary>Sends a signal to the child, never to a process that took over its id.</summary>
    /// <param name="signal">The signal.</param>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or the child has ended.</exception>
    void SendSignal(PosixSignal signal);

    /// <summary>Asks the child to end (SIGTERM).</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or the child has ended.</exception>
    void Terminate();

    /// <summary>Ends the child (SIGKILL).</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or the child has ended.</exception>
    void Kill();
}
