using Sluice.KernelTests.Backends.Kit;

namespace Sluice.KernelTests.Transports.Kit;

/// <summary>What this process holds, after a full collection.</summary>
/// <param name="Descriptors">Open descriptors.</param>
/// <param name="Threads">Threads that the runtime does not keep for itself: those of loops are among them, the pool's are not.</param>
/// <param name="Heap">Bytes of live objects.</param>
/// <param name="Resident">Bytes of resident memory.</param>
internal readonly record struct Footprint(int Descriptors, int Threads, long Heap, long Resident)
{
    public static Footprint Take()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        return new Footprint(Bytes.OpenDescriptors(), CountThreads(), GC.GetTotalMemory(forceFullCollection: true), ReadResident());
    }

    public override string ToString() =>
        FormattableString.Invariant($"{Descriptors} descriptors, {Threads} threads, heap {Heap / 1024.0:N0} KiB, resident {Resident / 1048576.0:N1} MiB");

    // The runtime starts and retires its own threads as it likes, and names them.
    private static int CountThreads() =>
        Directory.GetDirectories("/proc/self/task").Count(static task => !File.ReadAllText(task + "/comm").StartsWith(".NET", StringComparison.Ordinal));

    private static long ReadResident()
    {
        var line = File.ReadLines("/proc/self/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
