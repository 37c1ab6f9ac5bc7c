using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Sluice.Primitives;

namespace Sluice.Native;

/// <summary>
/// The system calls that the Linux backends make, each with its result and its error: the seam where a test stands in for the kernel
/// and fails the call of its choice. Stateless; the real ones are <see cref="System"/>.
/// </summary>
/// <remarks>
/// Every descriptor is born close-on-exec. Data calls on sockets never block and never raise SIGPIPE, whatever a user's duplicate did to the
/// flags of the open file. For pipes there are no such flags: they are put into non-blocking mode, and SIGPIPE is ignored by .NET in the
/// whole process, from its start. Interrupted calls are repeated where nobody above would look at the clock; close never is.
/// </remarks>
internal unsafe class Syscalls
{
    private const int StreamFlags =
        SocketConstants.TypeStream | SocketConstants.TypeNonBlocking | SocketConstants.TypeCloseOnExec;

    private const int DatagramFlags =
        SocketConstants.TypeDatagram | SocketConstants.TypeNonBlocking | SocketConstants.TypeCloseOnExec;

    private const int DataFlags = SocketConstants.DontWait | SocketConstants.NoSignal;

    public static Syscalls System { get; } = new();

    public virtual int StreamSocket(int family, out IoError error) =>
        Result(SocketCalls.Socket(family, StreamFlags, 0), out error);

    public virtual int DatagramSocket(int family, out IoError error) =>
        Result(SocketCalls.Socket(family, DatagramFlags, 0), out error);

    /// <summary>Two connected Unix sockets, left blocking: they become ordinary sockets of .NET, which refuses to wait on others.</summary>
    public virtual IoError SocketPair(int type, int* pair) => Outcome(SocketCalls.SocketPair(
        SocketConstants.FamilyUnix, type | SocketConstants.TypeCloseOnExec, 0, pair));

    public virtual IoError Bind(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address) return Outcome(SocketCalls.Bind(fd, pointer, (uint)address.Length));
    }

    public virtual IoError Connect(int fd, ReadOnlySpan<byte> address)
    {
        fixed (byte* pointer = address) return Outcome(SocketCalls.Connect(fd, pointer, (uint)address.Length));
    }

    public virtual IoError Listen(int fd, int backlog) => Outcome(SocketCalls.Listen(fd, backlog));

    /// <param name="fd">The listener.</param>
    /// <param name="address">Takes the peer's address.</param>
    /// <param name="length">How long that address is; at most the room given is filled.</param>
    /// <param name="error">Why there is no connection.</param>
    public virtual int Accept(int fd, Span<byte> address, out int length, out IoError error)
    {
        var size = (uint)address.Length;
        fixed (byte* pointer = address)
        {
            var accepted = SocketCalls.Accept(fd, pointer, &size, SocketConstants.TypeNonBlocking | SocketConstants.TypeCloseOnExec);
            length = (int)Math.Min(size, (uint)address.Length);
            return Result(accepted, out error);
        }
    }

    public virtual int Receive(int fd, byte* buffer, int length, out IoError error) =>
        Result(SocketCalls.Receive(fd, buffer, (nuint)length, DataFlags), out error);

    public virtual int Send(int fd, byte* buffer, int length, out IoError error)
    {
        int sent;
        do sent = Result(SocketCalls.Send(fd, buffer, (nuint)length, DataFlags), out error);
        while (error == IoError.Interrupted);
        return sent;
    }

    public virtual int SendGathered(int fd, IoVector* vectors, int count, out IoError error)
    {
        var message = new MessageHeader { Vectors = vectors, VectorCount = (nuint)count };
        int sent;
        do sent = Result(SocketCalls.SendMessage(fd, &message, DataFlags), out error);
        while (error == IoError.Interrupted);
        return sent;
    }

    /// <summary>Receives as many messages as there are, at most <paramref name="count"/>, and says of each how long it is.</summary>
    public virtual int ReceiveMessages(int fd, MessageSlot* messages, int count, out IoError error) =>
        Result(SocketCalls.ReceiveMessages(fd, messages, (uint)count, DataFlags, null), out error);

    /// <summary>Sends messages in their order. An error is about the first one: what stops it behind another is told when that is asked for again.</summary>
    public virtual int SendMessages(int fd, MessageSlot* messages, int count, out IoError error)
    {
        int sent;
        do sent = Result(SocketCalls.SendMessages(fd, messages, (uint)count, DataFlags), out error);
        while (error == IoError.Interrupted);
        return sent;
    }

    /// <summary>Takes one entry out of a socket's queue of errors, which reports as an error for as long as it holds any.</summary>
    public virtual IoError DropQueuedError(int fd)
    {
        byte nothing;
        return Outcome((int)SocketCalls.Receive(fd, &nothing, 0, DataFlags | SocketConstants.ErrorQueue));
    }

    /// <summary>
    /// Sends a part of a file from the kernel's own memory. It knows no flags: only the socket's O_NONBLOCK keeps it from waiting for the
    /// peer, and only the runtime, which ignores SIGPIPE, keeps a dead peer from ending the process.
    /// </summary>
    public virtual long SendFile(int fd, SafeFileHandle file, long offset, long count, out IoError error)
    {
        // A 32-bit C library may take the low half of the offset only.
        if (nint.Size == 4 && offset + count > int.MaxValue)
        {
            error = IoError.TooLarge;
            return -1;
        }

        nint sent;
        do
        {
            var from = offset;
            sent = SocketCalls.SendFile(fd, file, &from, (nuint)count);
            error = sent >= 0 ? IoError.None : new IoError(Marshal.GetLastPInvokeError());
        }
        while (error == IoError.Interrupted);

        return sent;
    }

    /// <summary>Reads from anything. Blocks unless the open file is in non-blocking mode.</summary>
    public virtual int Read(int fd, byte* buffer, int length, out IoError error) =>
        Result(DescriptorCalls.Read(fd, buffer, (nuint)length), out error);

    /// <summary>Writes to anything. Blocks unless the open file is in non-blocking mode.</summary>
    public virtual int Write(int fd, byte* buffer, int length, out IoError error)
    {
        int written;
        do written = Result(DescriptorCalls.Write(fd, buffer, (nuint)length), out error);
        while (error == IoError.Interrupted);
        return written;
    }

    public virtual int WriteGathered(int fd, IoVector* vectors, int count, out IoError error)
    {
        int written;
        do written = Result(DescriptorCalls.WriteGathered(fd, vectors, count), out error);
        while (error == IoError.Interrupted);
        return written;
    }

    public virtual IoError ShutdownWrite(int fd) => Outcome(SocketCalls.Shutdown(fd, SocketConstants.ShutdownWrite));

    public virtual int GetOption(int fd, int level, int name, out IoError error)
    {
        int value = 0;
        uint length = sizeof(int);
        error = Outcome(SocketCalls.GetOption(fd, level, name, &value, &length));
        return value;
    }

    public virtual IoError SetOption(int fd, int level, int name, int value) =>
        Outcome(SocketCalls.SetOption(fd, level, name, &value, sizeof(int)));

    /// <summary>Sets an option whose value is a structure.</summary>
    public virtual IoError SetOption(int fd, int level, int name, ReadOnlySpan<byte> value)
    {
        fixed (byte* pointer = value) return Outcome(SocketCalls.SetOption(fd, level, name, pointer, (uint)value.Length));
    }

    public virtual IoError SetLinger(int fd, LingerValue value) =>
        Outcome(SocketCalls.SetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionLinger, &value, (uint)sizeof(LingerValue)));

    public virtual LingerValue GetLinger(int fd, out IoError error)
    {
        LingerValue value = default;
        var length = (uint)sizeof(LingerValue);
        error = Outcome(SocketCalls.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionLinger, &value, &length));
        return value;
    }

    /// <summary>Who is at the other end of a Unix socket: as the kernel noted it when the connection was made.</summary>
    public virtual PeerIdentity GetPeerIdentity(int fd, out IoError error)
    {
        PeerIdentity value = default;
        var length = (uint)sizeof(PeerIdentity);
        error = Outcome(SocketCalls.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionPeerCredentials, &value, &length));
        return value;
    }

    public virtual int GetLocalName(int fd, Span<byte> address, out IoError error)
    {
        var size = (uint)address.Length;
        fixed (byte* pointer = address) error = Outcome(SocketCalls.GetLocalName(fd, pointer, &size));
        return (int)Math.Min(size, (uint)address.Length);
    }

    public virtual int GetPeerName(int fd, Span<byte> address, out IoError error)
    {
        var size = (uint)address.Length;
        fixed (byte* pointer = address) error = Outcome(SocketCalls.GetPeerName(fd, pointer, &size));
        return (int)Math.Min(size, (uint)address.Length);
    }

    public virtual int EpollCreate(out IoError error) => Result(EpollCalls.Create(EpollCalls.CloseOnExec), out error);

    public virtual IoError EpollControl(int epoll, EpollOperation operation, int fd, EpollInterest interest, ulong token)
    {
        var memory = stackalloc byte[EpollEvents.Stride];
        EpollEvents.Write(memory, interest, token);
        return Outcome(EpollCalls.Control(epoll, (int)operation, fd, memory));
    }

    /// <param name="epoll">The epoll descriptor.</param>
    /// <param name="events">Takes the events.</param>
    /// <param name="timeout">In milliseconds; 0 looks without waiting, -1 waits for ever.</param>
    /// <param name="error">Why there are no events.</param>
    public virtual int EpollWait(int epoll, EpollEvents events, int timeout, out IoError error) =>
        Result(EpollCalls.Wait(epoll, events.Address, events.Capacity, timeout), out error);

    public virtual int EventDescriptor(out IoError error) =>
        Result(DescriptorCalls.Event(0, DescriptorCalls.EventNonBlocking | DescriptorCalls.EventCloseOnExec), out error);

    /// <summary>Adds one to an event descriptor's counter.</summary>
    public virtual IoError Signal(int fd)
    {
        ulong one = 1;
        IoError error;
        do error = Outcome((int)DescriptorCalls.Write(fd, &one, sizeof(ulong)));
        while (error == IoError.Interrupted);
        return error;
    }

    public virtual IoError Close(int fd) => Outcome(DescriptorCalls.Close(fd));

    public virtual int Duplicate(int fd, out IoError error) =>
        Result(DescriptorCalls.Control(fd, DescriptorCalls.DuplicateCloseOnExec, 0), out error);

    /// <summary>Makes a number in use mean another open file, in one step; the file that it meant loses a descriptor.</summary>
    public virtual IoError Replace(int source, int target) => Outcome(DescriptorCalls.Replace(source, target, DescriptorCalls.EventCloseOnExec));

    /// <summary>The user as whom this process acts.</summary>
    public virtual uint EffectiveUser() => DescriptorCalls.EffectiveUser();

    public virtual IoError SetCloseOnExec(int fd)
    {
        var flags = Result(DescriptorCalls.Control(fd, DescriptorCalls.GetDescriptorFlags, 0), out var error);
        if (!error.IsNone || (flags & DescriptorCalls.CloseOnExec) != 0) return error;
        return Outcome(DescriptorCalls.Control(fd, DescriptorCalls.SetDescriptorFlags, flags | DescriptorCalls.CloseOnExec));
    }

    public virtual IoError SetNonBlocking(int fd)
    {
        var flags = Result(DescriptorCalls.Control(fd, DescriptorCalls.GetFlags, 0), out var error);
        if (!error.IsNone || (flags & DescriptorCalls.NonBlocking) != 0) return error;
        return Outcome(DescriptorCalls.Control(fd, DescriptorCalls.SetFlags, flags | DescriptorCalls.NonBlocking));
    }

    /// <summary>What an open file was opened for; neither is possible.</summary>
    public virtual (bool Reading, bool Writing) Access(int fd, out IoError error)
    {
        var flags = Result(DescriptorCalls.Control(fd, DescriptorCalls.GetFlags, 0), out error);
        if (!error.IsNone || (flags & DescriptorCalls.OpenPathOnly) != 0) return default;
        var access = flags & DescriptorCalls.AccessMask;
        return (access != DescriptorCalls.WriteOnly, access != DescriptorCalls.ReadOnly);
    }

    public virtual bool IsNonBlocking(int fd, out IoError error) =>
        (Result(DescriptorCalls.Control(fd, DescriptorCalls.GetFlags, 0), out error) & DescriptorCalls.NonBlocking) != 0 && error.IsNone;

    public virtual IoError SetBlocking(int fd)
    {
        var flags = Result(DescriptorCalls.Control(fd, DescriptorCalls.GetFlags, 0), out var error);
        return error.IsNone ? Outcome(DescriptorCalls.Control(fd, DescriptorCalls.SetFlags, flags & ~DescriptorCalls.NonBlocking)) : error;
    }

    /// <summary>How many descriptors this process may have open: RLIMIT_NOFILE, of which the soft limit counts.</summary>
    public virtual int DescriptorLimit()
    {
        var limit = stackalloc ulong[2];
        // The call cannot fail with these arguments; the least that Linux gives is the answer if it does.
        if (DescriptorCalls.GetLimit(DescriptorCalls.LimitOfDescriptors, limit) != 0) return DescriptorCalls.UsualLimit;
        return (int)Math.Min(limit[0], int.MaxValue);
    }

    public virtual IoError SetMode(int fd, UnixFileMode mode) => Outcome(DescriptorCalls.SetMode(fd, (uint)mode));

    /// <summary>What a descriptor means.</summary>
    public virtual FileStatus Status(int fd, out IoError error)
    {
        FileStatus status = default;
        byte none = 0;
        error = Outcome(DescriptorCalls.Status(fd, &none, DescriptorCalls.OfDescriptor, FileStatus.TypeModeAndInode, &status));
        return status;
    }

    /// <summary>What lies at a path; a link at its end is not followed unless asked for.</summary>
    public virtual FileStatus Status(string path, out IoError error, bool followsLink = false)
    {
        FileStatus status = default;
        fixed (byte* name = Terminated(path))
        {
            error = Outcome(DescriptorCalls.Status(
                DescriptorCalls.CurrentDirectory, name, followsLink ? 0 : DescriptorCalls.NoFollow, FileStatus.TypeModeAndInode, &status));
        }

        return status;
    }

    /// <summary>
    /// Sets the mode of the very file that has this identity, if it still lies at the path. A path alone could lead to another file by then; a descriptor that only names
    /// a file (O_PATH) cannot be given to fchmod, but its entry in /proc can be to chmod.
    /// </summary>
    public virtual IoError SetMode(string path, FileIdentity identity, UnixFileMode mode)
    {
        int fd;
        IoError error;
        fixed (byte* name = Terminated(path))
        {
            fd = Result(DescriptorCalls.Open(
                name, DescriptorCalls.OpenPathOnly | DescriptorCalls.OpenCloseOnExec | DescriptorCalls.OpenNoFollow), out error);
        }

        if (!error.IsNone) return error;
        var status = Status(fd, out error);
        if (error.IsNone && status.Identity != identity) error = IoError.NoEntry;
        if (error.IsNone)
        {
            fixed (byte* name = Terminated($"/proc/self/fd/{fd}")) error = Outcome(DescriptorCalls.SetModeAt(name, (uint)mode));
        }

        Close(fd);
        return error;
    }

    public virtual IoError Unlink(string path)
    {
        fixed (byte* name = Terminated(path)) return Outcome(DescriptorCalls.Unlink(name));
    }

    /// <summary>The two ends of a new pipe, reading and writing; both block.</summary>
    public virtual IoError Pipe(out int reading, out int writing)
    {
        var ends = stackalloc int[2];
        var error = Outcome(DescriptorCalls.Pipe(ends, DescriptorCalls.OpenCloseOnExec));
        (reading, writing) = (ends[0], ends[1]);
        return error;
    }

    /// <summary>The file that is empty and takes everything.</summary>
    public virtual int NullDevice(out IoError error)
    {
        fixed (byte* name = "/dev/null\0"u8)
        {
            return Result(DescriptorCalls.Open(name, DescriptorCalls.OpenReadWrite | DescriptorCalls.OpenCloseOnExec), out error);
        }
    }

    /// <summary>A second number for an open file, not below the first one given.</summary>
    public virtual int DuplicateFrom(int fd, int first, out IoError error) =>
        Result(DescriptorCalls.Control(fd, DescriptorCalls.DuplicateCloseOnExec, first), out error);

    /// <summary>Whether a number means an open file.</summary>
    public virtual bool IsOpen(int fd) => DescriptorCalls.Control(fd, DescriptorCalls.GetDescriptorFlags, 0) >= 0;

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
    /// <param name="reap">Forget it then: it is no zombie any more.</param>
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

    private static byte[] Terminated(string path)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }

    private static IoError Outcome(int result) => result >= 0 ? IoError.None : new IoError(Marshal.GetLastPInvokeError());

    private static int Result(nint result, out IoError error)
    {
        error = result >= 0 ? IoError.None : new IoError(Marshal.GetLastPInvokeError());
        return (int)result;
    }
}
