using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Sluice.Primitives;

/// <summary>
/// The system's number of a signal, and what the system does with it: the only table of signals. The names of <see cref="PosixSignal"/> have negative values
/// of .NET's own; a positive value is a raw number.
/// </summary>
internal static class SignalNumber
{
    /// <summary>The last real-time signal of Linux.</summary>
    private const int Last = 64;

    private const int Kill = 9;
    private const int Child = 17;
    private const int Continue = 18;
    private const int Stop = 19;
    private const int Urgent = 23;
    private const int WindowChange = 28;

    /// <summary>The number, or zero where there is no such signal.</summary>
    [SuppressMessage("Interoperability", "CA1416", Justification = "The names are compared with, which works on every system.")]
    public static int Of(PosixSignal signal) => signal switch
    {
        PosixSignal.SIGHUP => 1,
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        PosixSignal.SIGTERM => 15,
        PosixSignal.SIGCHLD => Child,
        PosixSignal.SIGCONT => Continue,
        PosixSignal.SIGTSTP => 20,
        PosixSignal.SIGTTIN => 21,
        PosixSignal.SIGTTOU => 22,
        PosixSignal.SIGWINCH => WindowChange,
        > 0 and <= (PosixSignal)Last => (int)signal,
        _ => 0,
    };

    /// <summary>The kernel lets nobody handle some; the C library keeps two more for its threads.</summary>
    public static bool CanBeCaught(int number) => number is not (Kill or Stop or 32 or 33);

    /// <summary>Without a handler it does nothing, or lets a stopped process go on: no program has to be kept from that.</summary>
    public static bool IsHarmless(int number) => number is Child or Continue or Urgent or WindowChange;
}
