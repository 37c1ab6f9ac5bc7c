using System.Collections;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Processes;

/// <summary>Starts children: finds the program, lays out descriptors, spawns, and gets hold of the child by a descriptor. Owned by its backend.</summary>
/// <remarks>
/// <para>Every descriptor of ours is born close-on-exec, so that children that other threads start at the same time inherit none of them.</para>
/// <para>The child's number is used once, to open its pidfd: nobody has waited for the child yet, so the number is still its own. .NET waits only for children
/// that its Process class has started, unless SIGCHLD is ignored; then the kernel reaps children itself and their statuses are lost.</para>
/// </remarks>
internal sealed class PosixLauncher(Syscalls system)
{
    private const int NoSuchProcess = 3;

    private bool _hasProbed;

    /// <returns>The child's number, its pidfd, and our ends of its pipes. The caller owns them.</returns>
    /// <exception cref="FileNotFoundException">There is no such program.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such working directory.</exception>
    /// <exception cref="UnauthorizedAccessException">The program may not be executed, or the directory not be entered.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no pidfds.</exception>
    /// <exception cref="IOException">The system cannot start it for another reason.</exception>
    public (int Id, SafeFd Descriptor, SafeFd?[] Pipes) Start(SpawnRequest request)
    {
        Probe();
        var path = Find(request.Program);
        using var descriptors = new DescriptorPlan(system, request);
        var plan = new SpawnPlan
        {
            Path = path,
            Arguments = request.Arguments,
            Environment = EnvironmentOf(request),
            Directory = request.WorkingDirectory,
            NewSession = request.NewSession,
            ProcessGroup = request.ProcessGroup,
            Descriptors = descriptors.Entries,
        };
        var id = system.Spawn(plan, out var error);
        if (!error.IsNone) throw SpawnErrors.OfSpawn(request, path, error);
        var descriptor = system.ProcessDescriptor(id, out error);
        if (error.IsNone) return (id, new SafeFd(system, descriptor), descriptors.TakeOurs());

        // A child that cannot be watched must not be. One that is gone already (SIGCHLD is ignored) has left its number to others.
        if (error.Errno != NoSuchProcess) system.KillAndWait(id);
        throw SpawnErrors.OfWatch(error);
    }

    /// <summary>Asked once, of this process: a system without pidfds starts nothing.</summary>
    private void Probe()
    {
        if (_hasProbed) return;
        var self = system.ProcessDescriptor(Environment.ProcessId, out var error);
        if (!error.IsNone) throw SpawnErrors.OfWatch(error);
        system.Close(self);
        _hasProbed = true;
    }

    /// <summary>As execvp does it, with this process's PATH; the empty entry is the current directory.</summary>
    private string Find(string program)
    {
        if (program.Contains('/')) return program;
        var isForbidden = false;
        foreach (var folder in (Environment.GetEnvironmentVariable("PATH") ?? "/bin:/usr/bin").Split(':'))
        {
            var path = Path.GetFullPath(Path.Combine(folder.Length == 0 ? "." : folder, program));
            var error = system.MayExecute(path);
            if (error.IsNone) return path;
            isForbidden |= error == IoError.AccessDenied;
        }

        throw SpawnErrors.OfSearch(program, isForbidden);
    }

    private static List<string> EnvironmentOf(SpawnRequest request)
    {
        if (request.Environment is { } given) return [.. given.Select(static entry => $"{entry.Key}={entry.Value}")];
        var inherited = new List<string>();
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables()) inherited.Add($"{entry.Key}={entry.Value}");
        return inherited;
    }
}
