using System.Runtime.InteropServices;

namespace Sluice.Native;

/// <summary>The C library's calls on processes. Called through <see cref="Syscalls"/> and <see cref="PosixSpawn"/> only.</summary>
internal static unsafe partial class ProcessCalls
{
    public const int IdOfProcess = 1;
    public const int IdOfDescriptor = 3;
    public const int WaitNoHang = 1;
    public const int WaitExited = 4;
    public const int WaitLeaveWaitable = 0x01000000;
    public const int ExitedByItself = 1;
    public const int KillSignal = 9;

    /// <summary>sizeof(siginfo_t), and where waitid puts what it says, on 64-bit machines.</summary>
    public const int InfoSize = 128;
    public const int InfoCode = 8;
    public const int InfoProcess = 16;
    public const int InfoStatus = 24;

    public const int SetProcessGroup = 0x02;
    public const int SetDefaultSignals = 0x04;
    public const int SetSignalMask = 0x08;
    public const int SetSession = 0x80;

    public const short PollReadable = 1;
    public const int MayExecute = 1;

    /// <summary>System calls that the C library has names for only since glibc 2.36; their numbers are the same on all machines.</summary>
    public const nint PidfdSendSignal = 424;
    public const nint PidfdOpen = 434;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "posix_spawn")]
    public static partial int Spawn(int* pid, byte* path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_init")]
    public static partial int InitActions(void* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_destroy")]
    public static partial int DestroyActions(void* actions);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_adddup2")]
    public static partial int AddDuplicate(void* actions, int source, int target);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addclose")]
    public static partial int AddClose(void* actions, int fd);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addchdir_np")]
    public static partial int AddChangeDirectory(void* actions, byte* path);

    [LibraryImport(Library, EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    public static partial int AddCloseFrom(void* actions, int from);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_init")]
    public static partial int InitAttributes(void* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_destroy")]
    public static partial int DestroyAttributes(void* attributes);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setflags")]
    public static partial int SetFlags(void* attributes, short flags);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setpgroup")]
    public static partial int SetGroup(void* attributes, int group);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigdefault")]
    public static partial int SetDefaults(void* attributes, void* signals);

    [LibraryImport(Library, EntryPoint = "posix_spawnattr_setsigmask")]
    public static partial int SetMask(void* attributes, void* signals);

    [LibraryImport(Library, EntryPoint = "waitid", SetLastError = true)]
    public static partial int Wait(int idType, int id, void* info, int options);

    [LibraryImport(Library, EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport(Library, EntryPoint = "poll", SetLastError = true)]
    public static partial int Poll(PollEntry* entries, nuint count, int timeout);

    [LibraryImport(Library, EntryPoint = "access", SetLastError = true)]
    public static partial int Access(byte* path, int mode);

    // Variadic in C. The calling conventions of x64 and arm64 Linux pass integers alike either way.
    [LibraryImport(Library, EntryPoint = "syscall", SetLastError = true)]
    public static partial nint System(nint number, nint first, nint second, nint third, nint fourth);
}

/// <summary>struct pollfd.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct PollEntry
{
    public int Descriptor;
    public short Wanted;
    public short Found;
}
