using Sluice.Primitives;

namespace Sluice.Native;

/// <summary>
/// Starts a process by posix_spawn: the C library makes it without copying this process's memory, and answers when the program runs or why it does not. Stateless,
/// but for what the C library was found to lack. Called through <see cref="Syscalls"/> only.
/// </summary>
/// <remarks>
/// The calling thread rests until the child has called exec, about a millisecond; a program on a file system that does not answer holds it up for as long.
/// </remarks>
internal static unsafe class PosixSpawn
{
    /// <summary>Far more than posix_spawn_file_actions_t, posix_spawnattr_t and sigset_t of glibc and musl take, in words.</summary>
    private const int ActionsWords = 32;
    private const int AttributesWords = 64;
    private const int SignalWords = 16;

    private const int BrokenPipeSignal = 13;
    private const int FileSizeSignal = 25;
    private const int FirstNotStandard = 3;

    /// <summary>posix_spawn_file_actions_addclosefrom_np is as old as glibc 2.34, and unknown to musl.</summary>
    private static bool _lacksCloseFrom;

    /// <returns>The process's id; meaningless with an error.</returns>
    public static int Run(SpawnPlan plan, out IoError error)
    {
        var actions = stackalloc ulong[ActionsWords];
        var attributes = stackalloc ulong[AttributesWords];
        var signals = stackalloc ulong[2 * SignalWords];
        error = new IoError(ProcessCalls.InitActions(actions));
        if (!error.IsNone) return 0;
        error = new IoError(ProcessCalls.InitAttributes(attributes));
        try
        {
            if (error.IsNone) error = new IoError(Describe(plan, actions));
            if (error.IsNone) error = new IoError(Describe(plan, attributes, signals));
            return error.IsNone ? Run(plan, actions, attributes, out error) : 0;
        }
        finally
        {
            _ = ProcessCalls.DestroyAttributes(attributes);
            _ = ProcessCalls.DestroyActions(actions);
        }
    }

    private static int Run(SpawnPlan plan, ulong* actions, ulong* attributes, out IoError error)
    {
        using var path = new NativeStrings([plan.Path]);
        using var arguments = new NativeStrings(plan.Arguments);
        using var environment = new NativeStrings(plan.Environment);
        int pid;
        error = new IoError(ProcessCalls.Spawn(&pid, path.Pointers[0], actions, attributes, arguments.Pointers, environment.Pointers));
        return pid;
    }

    /// <summary>Directory and descriptors, in the order in which the child does it.</summary>
    private static int Describe(SpawnPlan plan, ulong* actions)
    {
        var error = 0;
        if (plan.Directory is { } directory)
        {
            using var path = new NativeStrings([directory]);
            error = ProcessCalls.AddChangeDirectory(actions, path.Pointers[0]);
        }

        var last = FirstNotStandard - 1;
        foreach (var (source, target) in plan.Descriptors)
        {
            // Onto itself it becomes one that stays open at exec.
            if (error == 0) error = ProcessCalls.AddDuplicate(actions, source, target);
            last = Math.Max(last, target);
        }

        for (var fd = FirstNotStandard; fd < last && error == 0; fd++)
        {
            if (!plan.Descriptors.Any(entry => entry.Target == fd)) error = ProcessCalls.AddClose(actions, fd);
        }

        return error == 0 ? CloseFrom(actions, last + 1) : error;
    }

    /// <summary>
    /// Nothing else of this process's stays open in the child. Where the C library cannot say so, what others have opened without close-on-exec does; .NET and this
    /// library never do that.
    /// </summary>
    private static int CloseFrom(ulong* actions, int first)
    {
        if (_lacksCloseFrom) return 0;
        try
        {
            return ProcessCalls.AddCloseFrom(actions, first);
        }
        catch (EntryPointNotFoundException)
        {
            _lacksCloseFrom = true;
            return 0;
        }
    }

    /// <summary>
    /// Session, group and signals. Handled signals have their default action after exec; ignored ones stay ignored, as nohup wants it, but for those that .NET ignores
    /// and no program expects to: SIGPIPE and SIGXFSZ. Nothing is blocked.
    /// </summary>
    private static int Describe(SpawnPlan plan, ulong* attributes, ulong* signals)
    {
        new Span<ulong>(signals, 2 * SignalWords).Clear();
        var defaults = signals;
        var mask = signals + SignalWords;
        defaults[0] = 1UL << (BrokenPipeSignal - 1) | 1UL << (FileSizeSignal - 1);
        var flags = ProcessCalls.SetDefaultSignals | ProcessCalls.SetSignalMask;
        if (plan.NewSession) flags |= ProcessCalls.SetSession;
        var error = ProcessCalls.SetDefaults(attributes, defaults);
        if (error == 0) error = ProcessCalls.SetMask(attributes, mask);
        if (error == 0 && plan.ProcessGroup is { } group)
        {
            flags |= ProcessCalls.SetProcessGroup;
            error = ProcessCalls.SetGroup(attributes, group);
        }

        return error == 0 ? ProcessCalls.SetFlags(attributes, (short)flags) : error;
    }
}
