using System.Runtime.InteropServices;

namespace Sluice.Native;

/// <summary>The C library's calls on any descriptor, and on files by path. Called through <see cref="Syscalls"/> only.</summary>
internal static unsafe partial class DescriptorCalls
{
    public const int EventNonBlocking = 0x800;
    public const int EventCloseOnExec = 0x80000;
    public const int GetDescriptorFlags = 1;
    public const int SetDescriptorFlags = 2;
    public const int CloseOnExec = 1;
    public const int GetFlags = 3;
    public const int SetFlags = 4;
    public const int NonBlocking = 0x800;
    public const int AccessMask = 3;
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int DuplicateCloseOnExec = 1030;
    public const int CurrentDirectory = -100;
    public const int NoFollow = 0x100;
    public const int LimitOfDescriptors = 7;
    public const int UsualLimit = 1024;

    public const int OfDescriptor = 0x1000;
    public const int OpenPathOnly = 0x200000;
    public const int OpenCloseOnExec = 0x80000;
    public const int OpenReadWrite = 2;

    /// <summary>O_NOFOLLOW, one of the few flags that differ between machines.</summary>
    public static readonly int OpenNoFollow = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    private const string Library = "libc";

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    public static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    public static partial nint Write(int fd, void* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "read", SetLastError = true)]
    public static partial nint Read(int fd, byte* buffer, nuint length);

    [LibraryImport(Library, EntryPoint = "writev", SetLastError = true)]
    public static partial nint WriteGathered(int fd, IoVector* vectors, int count);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    public static partial int Event(uint value, int flags);

    /// <summary>FIONREAD, on x64 and arm64.</summary>
    public const nuint BytesToRead = 0x541B;

    [LibraryImport(Library, EntryPoint = "ioctl", SetLastError = true)]
    public static unsafe partial int InputOutput(int fd, nuint request, int* value);

    [LibraryImport(Library, EntryPoint = "fcntl", SetLastError = true)]
    public static partial int Control(int fd, int command, int argument);

    [LibraryImport(Library, EntryPoint = "getrlimit", SetLastError = true)]
    public static partial int GetLimit(int resource, ulong* softAndHard);

    [LibraryImport(Library, EntryPoint = "pipe2", SetLastError = true)]
    public static partial int Pipe(int* ends, int flags);

    [LibraryImport(Library, EntryPoint = "dup3", SetLastError = true)]
    public static partial int Replace(int source, int target, int flags);

    [LibraryImport(Library, EntryPoint = "geteuid")]
    public static partial uint EffectiveUser();

    [LibraryImport(Library, EntryPoint = "fchmod", SetLastError = true)]
    public static partial int SetMode(int fd, uint mode);

    [LibraryImport(Library, EntryPoint = "open", SetLastError = true)]
    public static partial int Open(byte* path, int flags);

    [LibraryImport(Library, EntryPoint = "chmod", SetLastError = true)]
    public static partial int SetModeAt(byte* path, uint mode);

    [LibraryImport(Library, EntryPoint = "statx", SetLastError = true)]
    public static partial int Status(int directory, byte* path, int flags, uint mask, FileStatus* status);

    [LibraryImport(Library, EntryPoint = "unlink", SetLastError = true)]
    public static partial int Unlink(byte* path);
}
