using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Sluice.KernelTests.Subprocesses.Kit;

/// <summary>What /proc says of processes, and a few things that a program can do to its children behind the loop's back.</summary>
internal static partial class ProcessFiles
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>It runs, or is a zombie, and this process is its parent.</summary>
    public static bool IsChildOfOurs(int processId) => StatOf(processId) is { } stat && stat.Parent == Environment.ProcessId;

    /// <summary>The children of this process that have ended and that nobody has waited for.</summary>
    public static int[] Zombies() =>
        [.. Directory.GetDirectories("/proc").Select(NumberOf).Where(static number => StatOf(number) is { State: 'Z' } stat && stat.Parent == Environment.ProcessId)];

    /// <summary>Waits, without any loop's running on this thread, until a child has ended.</summary>
    public static void AwaitZombie(int processId)
    {
        var watch = Stopwatch.StartNew();
        while (StatOf(processId) is not { State: 'Z' })
        {
            Assert.True(watch.Elapsed < Patience, $"process {processId} does not end");
            Thread.Yield();
        }
    }

    /// <summary>Waits for a child and takes its status.</summary>
    public static void Reap(int processId) => Assert.Equal(processId, WaitFor(processId, out _, 0));

    public static string[] Descriptors(int processId) =>
        [.. Directory.GetFiles($"/proc/{processId}/fd").Select(static path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];

    private static int NumberOf(string path) => int.TryParse(Path.GetFileName(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;

    private static (char State, int Parent)? StatOf(int processId)
    {
        try
        {
            // The name may hold spaces and parentheses; what counts stands behind it.
            var text = File.ReadAllText($"/proc/{processId}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "waitpid")]
    private static partial int WaitFor(int processId, out int status, int options);
}
