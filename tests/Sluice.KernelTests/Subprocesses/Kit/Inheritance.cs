using System.Runtime.InteropServices;

namespace Sluice.KernelTests.Subprocesses.Kit;

/// <summary>What careless code of others does to descriptors: leaves them open for children.</summary>
internal static partial class Inheritance
{
    private const int SetDescriptorFlags = 2;

    public static int MakeInheritable(int fd) => Control(fd, SetDescriptorFlags, 0);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int Control(int fd, int command, int argument);
}
