using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Native;

namespace Sluice.Backends.Linux;

/// <summary>One end of a pipe, in non-blocking mode: the descriptor and whose it is. Owned by its channel.</summary>
/// <remarks>
/// What a user hands over keeps its number, its close-on-exec flag and its handle, so that the handle is closed when the transport is, and not before.
/// Only a socket's handle is replaced by a duplicate at once, for the reason told at <see cref="SocketFactory.TakeOver"/>.
/// </remarks>
internal sealed class PipeDescriptor
{
    private readonly Syscalls _system;
    private readonly BorrowedModes? _modes;
    private readonly bool _isSocket;
    private readonly SafeHandle _handle;
    private bool _isReleased;

    private PipeDescriptor(Syscalls system, SafeHandle handle, in FileStatus status, BorrowedModes? modes)
    {
        _system = system;
        _isSocket = status.IsSocket;
        _handle = handle;
        _modes = modes;
        Number = (int)handle.DangerousGetHandle();
        Identity = status.Identity;
        IsDevice = status.IsCharacterDevice;
    }

    public int Number { get; }

    public FileIdentity Identity { get; }

    /// <summary>A character device: a terminal, or one such as /dev/null.</summary>
    public bool IsDevice { get; }

    /// <summary>The open file is to become blocking again: see <see cref="BorrowedModes"/>.</summary>
    public bool WasBlocking { get; set; }

    /// <summary>Whether a handle is a FIFO, a socket or a character device, and open for what this end does.</summary>
    public static bool CanBe(Syscalls system, SafeHandle handle, PipeEnd end)
    {
        var isHeld = false;
        try
        {
            handle.DangerousAddRef(ref isHeld);
            return CanBe(system, (int)handle.DangerousGetHandle(), end, out _);
        }
        finally
        {
            if (isHeld) handle.DangerousRelease();
        }
    }

    /// <summary>Takes over what a user has opened.</summary>
    /// <exception cref="ArgumentException">It can be no pipe, and stays as it was.</exception>
    /// <exception cref="SocketException">The kernel refuses, and the handle is closed.</exception>
    public static PipeDescriptor TakeOver(Syscalls system, BorrowedModes modes, SafeHandle handle, PipeEnd end)
    {
        var isHeld = false;
        handle.DangerousAddRef(ref isHeld);
        if (!CanBe(system, (int)handle.DangerousGetHandle(), end, out var status))
        {
            handle.DangerousRelease();
            throw new ArgumentException("It can be no such end of a pipe.", nameof(handle));
        }

        if (handle is SafeSocketHandle)
        {
            handle.DangerousRelease();
            handle = SocketFactory.TakeOver(system, handle);
            handle.DangerousAddRef(ref isHeld);
        }

        var pipe = new PipeDescriptor(system, handle, status, modes);
        var error = modes.Borrow(pipe);
        if (error.IsNone) return pipe;
        pipe.Release();
        throw error.ToException("make a pipe non-blocking");
    }

    /// <summary>An end that nobody else has, of a pipe of our own making.</summary>
    /// <exception cref="SocketException">The kernel refuses, and the descriptor is closed.</exception>
    public static PipeDescriptor Own(Syscalls system, SafeFd fd)
    {
        var isHeld = false;
        fd.DangerousAddRef(ref isHeld);
        var pipe = new PipeDescriptor(system, fd, default, modes: null);
        var error = system.SetNonBlocking(fd.Number);
        if (error.IsNone) return pipe;
        pipe.Release();
        throw error.ToException("make a pipe non-blocking");
    }

    /// <summary>Puts the mode back and closes the handle.</summary>
    public void Release()
    {
        if (_isReleased) return;
        _isReleased = true;
        _modes?.Return(this);
        if (_isSocket) ForeignOptions.CloseInOrder(_system, Number);
        _handle.DangerousRelease();
        _handle.Dispose();
    }

    // A read or a write that the open file was not opened for answers as if the descriptor were not ours.
    private static bool CanBe(Syscalls system, int fd, PipeEnd end, out FileStatus status)
    {
        status = system.Status(fd, out var error);
        if (!error.IsNone || !(status.IsPipe || status.IsSocket || status.IsCharacterDevice)) return false;
        var access = system.Access(fd, out error);
        return error.IsNone && (end == PipeEnd.Read ? access.Reading : access.Writing);
    }
}
