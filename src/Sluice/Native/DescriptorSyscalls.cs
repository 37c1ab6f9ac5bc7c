using System.Runtime.InteropServices;
using System.Text;
using Sluice.Primitives;

namespace Sluice.Native;

/// <summary>The part of <see cref="Syscalls"/> that is about descriptors of any kind, files, and epoll.</summary>
internal abstract unsafe class DescriptorSyscalls
{
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
    public virtual FileStatus Status(UnixPath path, out IoError error, bool followsLink = false)
    {
        FileStatus status = default;
        fixed (byte* name = path.Terminated)
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
    public virtual IoError SetMode(UnixPath path, FileIdentity identity, UnixFileMode mode)
    {
        int fd;
        IoError error;
        fixed (byte* name = path.Terminated)
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

    public virtual IoError Unlink(UnixPath path)
    {
        fixed (byte* name = path.Terminated) return Outcome(DescriptorCalls.Unlink(name));
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

    private protected static byte[] Terminated(string path)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(path) + 1];
        Encoding.UTF8.GetBytes(path, bytes);
        return bytes;
    }

    private protected static IoError Outcome(int result) => result >= 0 ? IoError.None : new IoError(Marshal.GetLastPInvokeError());

    private protected static int Result(nint result, out IoError error)
    {
        error = result >= 0 ? IoError.None : new IoError(Marshal.GetLastPInvokeError());
        return (int)result;
    }
}
