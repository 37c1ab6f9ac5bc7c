using System.Runtime.InteropServices;
using Sluice.Watching;

namespace Sluice;

/// <content>Signals of the process.</content>
public sealed partial class EventLoop
{
    private readonly SignalHandlers _signals;

    /// <summary>
    /// Calls back for each of these signals that the process gets, until the handler is removed or the loop ends. A second call for the same signal replaces
    /// the callback. What the callback throws goes to the exception handler; it stays. (asyncio: <c>add_signal_handler</c>.)
    /// </summary>
    /// <remarks>
    /// <para>The callback is a step of the loop like any other: it comes when what runs has returned, also out of the loop's sleep, and may do
    /// all that other callbacks may.</para>
    /// <para>While there is a handler, the signal's default action, mostly the end of the process, is not taken. Signals whose
    /// default is to do nothing or to go on (SIGCHLD, SIGCONT, SIGURG, SIGWINCH) are only heard: .NET does with them what it always does.
    /// A handler for SIGINT or SIGTERM stands in for what <see cref="Run(Func{EventLoop, CancellationToken, Task}, EventLoopOptions?)"/> does with that
    /// signal. Where several loops of a process handle a signal, each hears it.</para>
    /// </remarks>
    /// <param name="signal">A named signal, or the system's number of any other.</param>
    /// <param name="callback">Called on the loop's thread, in this caller's ExecutionContext.</param>
    /// <returns>Its cancellation removes the handler.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such signal.</exception>
    /// <exception cref="InvalidOperationException">The system lets nobody catch it (SIGKILL, SIGSTOP), or called off the loop's thread.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Handle AddSignalHandler(PosixSignal signal, Action callback) => _signals.Add(signal, callback);

    /// <summary>
    /// Removes the handler: the signal has its default effect again, or <c>Run</c>'s. One that has come and was not called back for yet is
    /// forgotten. (asyncio: <c>remove_signal_handler</c>.)
    /// </summary>
    /// <param name="signal">A named signal, or the system's number of any other.</param>
    /// <returns>True where there was a handler; false also once the loop has ended.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such signal.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public bool RemoveSignalHandler(PosixSignal signal) => _signals.Remove(signal);

    /// <summary>A run has a token: handlers stand in for what it does with signals, and the loop's end cancels it.</summary>
    private void Attach(Interruption interruption)
    {
        _signals.Interruption = interruption;
        _ending.Begun = interruption.Cancel;
        interruption.Begin(_core);
    }
}
