using System.Runtime.InteropServices;
using Sluice.Primitives;

namespace Sluice.Native;

/// <summary>
/// The system calls that the Linux backends make, each with its result and its error: the seam where a test stands in for the kernel
/// and fails the call of its choice: here those on processes, in the bases the rest. Stateless; the real ones are <see cref="System"/>.
/// </summary>
/// <remarks>
/// Every descriptor is born close-on-exec. Data calls on sockets never block and never raise SIGPIPE, whatever a user's duplicate did to the
/// flags of the open file. For pipes there are no such flags: they are put into non-blocking mode, and SIGPIPE is ignored by .NET in the
/// whole process, from its start. Interrupted calls are repeated where nobody above would look at the clock; close never is.
/// </remarks>
internal unsafe class Syscalls : SocketSyscalls
{
    public static Syscalls System { get; } = new();

    /// <summary>Starts a process. See <see cref="PosixSpawn"/>.</summary>
    public virtual int Spawn(SpawnPlan plan, out IoError error) => PosixSpawn.Run(plan, out error);

    /// <summary>A descriptor of a process that stays its own after the process has ended, whoever gets the number then.</summary>
    public virtual int ProcessDescriptor(int pid, out IoError error) =>
        Result(ProcessCalls.System(ProcessCalls.PidfdOpen, pid, 0, 0, 0), out error);

    /// <summary>Sends a signal to the process of a descriptor; ESRCH where it has been waited for.</summary>
    public virtual IoError SendSignal(int pidfd, int signal) =>
        Outcome((int)ProcessCalls.System(ProcessCalls.PidfdSendSignal, pidfd, signal, 0, 0));

    /// <summary>Whether the child of a descriptor has ended, and how. Does not wait.</summary>
    /// <param name="pidfd">The child.</param>
    /// <param name="reap">Whether to reap it then, so that no zombie is left.</param>
    /// <param name="error">ECHILD where somebody else has asked before.</param>
    /// <returns>The exit code, -N for signal N, or null where it runs or nobody knows.</returns>
    public virtual int? TryWait(int pidfd, bool reap, out IoError error) => Wait(
        ProcessCalls.IdOfDescriptor, pidfd, ProcessCalls.WaitExited | ProcessCalls.WaitNoHang | (reap ? 0 : ProcessCalls.WaitLeaveWaitable), out error);

    /// <summary>Ends a child that has no descriptor, and waits until it has ended: for one that was never to be.</summary>
    public virtual void KillAndWait(int pid)
    {
        _ = ProcessCalls.Kill(pid, ProcessCalls.KillSignal);
        Wait(ProcessCalls.IdOfProcess, pid, ProcessCalls.WaitExited, out _);
    }

    /// <summary>Waits until the process of a descriptor has ended.</summary>
    /// <param name="pidfd">The process.</param>
    /// <param name="timeout">In milliseconds.</param>
    public virtual void AwaitEnd(int pidfd, int timeout)
    {
        var entry = new PollEntry { Descriptor = pidfd, Wanted = ProcessCalls.PollReadable };
        while (ProcessCalls.Poll(&entry, 1, timeout) < 0 && Marshal.GetLastPInvokeError() == IoError.Interrupted.Errno)
        {
        }
    }

    /// <summary>Whether a file can be executed by this process; a directory never is one that can.</summary>
    public virtual IoError MayExecute(string path)
    {
        fixed (byte* name = Terminated(path))
        {
            var error = Outcome(ProcessCalls.Access(name, ProcessCalls.MayExecute));
            return error.IsNone && Directory.Exists(path) ? IoError.AccessDenied : error;
        }
    }

    private static int? Wait(int idType, int id, int options, out IoError error)
    {
        var info = stackalloc byte[ProcessCalls.InfoSize];
        do
        {
            // Where the child still runs the call succeeds and leaves the process's field as it was.
            *(int*)(info + ProcessCalls.InfoProcess) = 0;
            error = Outcome(ProcessCalls.Wait(idType, id, info, options));
        }
        while (error == IoError.Interrupted);
        if (!error.IsNone || *(int*)(info + ProcessCalls.InfoProcess) == 0) return null;
        var status = *(int*)(info + ProcessCalls.InfoStatus);
        return *(int*)(info + ProcessCalls.InfoCode) == ProcessCalls.ExitedByItself ? status : -status;
    }
}
