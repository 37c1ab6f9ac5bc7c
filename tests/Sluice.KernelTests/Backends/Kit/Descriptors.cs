using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Pipes, FIFOs, terminals and devices for tests, as plain handles in blocking mode, and their plain calls.</summary>
internal static unsafe partial class Descriptors
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    private const int CloseOnExec = 0x80000;
    private const int NoControllingTerminal = 0x100;
    private const int GetFlags = 3;
    private const int NonBlocking = 0x800;

    public static (SafeFileHandle Reader, SafeFileHandle Writer) Pipe()
    {
        var pair = stackalloc int[2];
        Check(pipe2(pair, CloseOnExec), "pipe2");
        return (Own(pair[0]), Own(pair[1]));
    }

    /// <summary>A pseudo-terminal; in raw mode bytes pass unchanged and without an echo.</summary>
    public static (SafeFileHandle Master, SafeFileHandle Slave) Terminal(bool raw = true)
    {
        var master = Own(Check(posix_openpt(ReadWrite | NoControllingTerminal | CloseOnExec), "posix_openpt"));
        Check(grantpt(Number(master)), "grantpt");
        Check(unlockpt(Number(master)), "unlockpt");
        var name = stackalloc byte[128];
        Check(ptsname_r(Number(master), name, 128) == 0 ? 0 : -1, "ptsname_r");
        var slave = Own(Check(open(name, ReadWrite | NoControllingTerminal | CloseOnExec), "open"));
        if (!raw) return (master, slave);
        var settings = stackalloc byte[256];
        Check(tcgetattr(Number(slave), settings), "tcgetattr");
        cfmakeraw(settings);
        Check(tcsetattr(Number(slave), 0, settings), "tcsetattr");
        return (master, slave);
    }

    public static SafeFileHandle Open(string path, int access)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(path + "\0");
        fixed (byte* name = bytes) return Own(Check(open(name, access | NoControllingTerminal | CloseOnExec), path));
    }

    public static void MakeFifo(string path)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(path + "\0");
        fixed (byte* name = bytes) Check(mkfifo(name, 0x180), path);
    }

    /// <summary>Another descriptor of the same open file.</summary>
    public static SafeFileHandle Duplicate(SafeHandle handle) => Own(Check(dup(Number(handle)), "dup"));

    public static bool IsNonBlocking(SafeHandle handle) => (Check(fcntl(Number(handle), GetFlags, 0), "fcntl") & NonBlocking) != 0;

    public static string PathOf(SafeHandle handle) => new FileInfo($"/proc/self/fd/{Number(handle)}").LinkTarget!;

    public static int Number(SafeHandle handle) => (int)handle.DangerousGetHandle();

    public static bool IsOpen(int number) => fcntl(number, GetFlags, 0) >= 0;

    /// <summary>Writes all, waiting where the descriptor lets it.</summary>
    public static void Write(SafeHandle handle, ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            fixed (byte* bytes = data) data = data[(int)Check(write(Number(handle), bytes, (nuint)data.Length), "write")..];
        }
    }

    /// <summary>Reads at most so much, waiting for at least one byte; empty at the end.</summary>
    public static byte[] Read(SafeHandle handle, int most = 65536)
    {
        var buffer = new byte[most];
        fixed (byte* bytes = buffer) return buffer[..(int)Check(read(Number(handle), bytes, (nuint)most), "read")];
    }

    /// <summary>Reads to the end.</summary>
    public static byte[] ReadAll(SafeHandle handle)
    {
        var all = new List<byte>();
        while (Read(handle) is { Length: > 0 } part) all.AddRange(part);
        return [.. all];
    }

    private static SafeFileHandle Own(int fd) => new(fd, ownsHandle: true);

    private static int Check(nint result, string what) =>
        result >= 0 ? (int)result : throw new InvalidOperationException($"{what}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* pair, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mkfifo(byte* path, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int open(byte* path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int fd, byte* buffer, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int posix_openpt(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int grantpt(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unlockpt(int fd);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ptsname_r(int fd, byte* name, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcgetattr(int fd, byte* settings);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int tcsetattr(int fd, int when, byte* settings);

    [LibraryImport("libc")]
    private static partial void cfmakeraw(byte* settings);
}
