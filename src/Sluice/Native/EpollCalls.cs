using System.Runtime.InteropServices;

namespace Sluice.Native;

/// <summary>The C library's epoll calls. Called through <see cref="Syscalls"/> only.</summary>
internal static unsafe partial class EpollCalls
{
    public const int CloseOnExec = 0x80000;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial int Create(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    public static partial int Control(int epoll, int operation, int fd, byte* @event);

    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    public static partial int Wait(int epoll, byte* events, int capacity, int timeout);
}

/// <summary>What epoll_ctl is to do.</summary>
internal enum EpollOperation
{
    Add = 1,
    Remove = 2,
    Modify = 3,
}

/// <summary>What a descriptor is watched for, and what epoll_wait found.</summary>
[Flags]
internal enum EpollInterest : uint
{
    None = 0,
    Readable = 0x001,
    Writable = 0x004,

    /// <summary>Always reported, asked for or not.</summary>
    Error = 0x008,

    /// <summary>Always reported, asked for or not: both directions are over.</summary>
    HangUp = 0x010,

    Broken = Error | HangUp,

    /// <summary>Nothing can be received any more: somebody has shut the socket down.</summary>
    ReadHangUp = 0x2000,
    OneShot = 1u << 30,
    EdgeTriggered = 1u << 31,
}
