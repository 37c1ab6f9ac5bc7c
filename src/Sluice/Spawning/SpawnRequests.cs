using System.Runtime.InteropServices;
using Sluice.Backends;

namespace Sluice.Spawning;

/// <summary>Turns what a user says about a child into a request to the kernel, and refuses what cannot be. Stateless.</summary>
internal static class SpawnRequests
{
    private const int FirstExtra = 3;
    private const int LastExtra = 255;
    private const string Shell = "/bin/sh";

    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments behind argument zero.</param>
    /// <param name="options">How it is started.</param>
    /// <param name="usual">Where those streams lead that the options do not mention.</param>
    /// <exception cref="ArgumentException">Something that no process can have.</exception>
    public static SpawnRequest Of(string program, IEnumerable<string> arguments, SubprocessOptions options, SubprocessStream usual)
    {
        CheckText(program, nameof(program));
        if (program.Length == 0) throw new ArgumentException("A program needs a name.", nameof(program));
        ArgumentNullException.ThrowIfNull(arguments);
        var all = new List<string> { program };
        foreach (var argument in arguments)
        {
            CheckText(argument, nameof(arguments));
            all.Add(argument);
        }

        return Make(options.Executable ?? program, all, options, usual);
    }

    /// <summary>For a line of the shell's language.</summary>
    public static SpawnRequest OfShell(string command, SubprocessOptions options, SubprocessStream usual)
    {
        CheckText(command, nameof(command));
        var shell = options.Executable ?? Shell;
        return Make(shell, [shell, "-c", command], options, usual);
    }

    private static SpawnRequest Make(string file, IReadOnlyList<string> arguments, SubprocessOptions options, SubprocessStream usual)
    {
        CheckNames(options);
        if (options.StandardInput == SubprocessStream.ToStandardOutput || options.StandardOutput == SubprocessStream.ToStandardOutput)
        {
            throw new ArgumentException("Only the standard error can lead to the standard output.", nameof(options));
        }

        if (options.ProcessGroup < 0) throw new ArgumentOutOfRangeException(nameof(options), options.ProcessGroup, "A process group has a positive number; 0 makes a new one.");
        if (options is { NewSession: true, ProcessGroup: not null }) throw new ArgumentException("A new session has a process group of its own: NewSession and ProcessGroup exclude each other.", nameof(options));
        if (options.MaxWriteBufferSize < 0) throw new ArgumentOutOfRangeException(nameof(options), options.MaxWriteBufferSize, "MaxWriteBufferSize must not be negative.");
        if (options.ReadLimit <= 0) throw new ArgumentOutOfRangeException(nameof(options), options.ReadLimit, "ReadLimit must be positive.");
        return new SpawnRequest
        {
            Program = file,
            Arguments = arguments,
            WorkingDirectory = options.WorkingDirectory,
            Environment = EnvironmentOf(options),
            NewSession = options.NewSession,
            ProcessGroup = options.ProcessGroup,
            Streams =
            [
                StreamOf(options.StandardInput ?? usual),
                StreamOf(options.StandardOutput ?? usual),
                StreamOf(options.StandardError ?? usual),
            ],
            ExtraDescriptors = DescriptorsOf(options),
        };
    }

    private static ChildStream StreamOf(SubprocessStream stream)
    {
        if (stream.Handle is { } handle)
        {
            ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
            return new ChildStream(ChildStreamKind.Handle, handle);
        }

        if (stream == SubprocessStream.Pipe) return new ChildStream(ChildStreamKind.Pipe);
        if (stream == SubprocessStream.Inherit) return new ChildStream(ChildStreamKind.Inherited);
        if (stream == SubprocessStream.Null) return new ChildStream(ChildStreamKind.Null);
        return new ChildStream(ChildStreamKind.StandardOutput);
    }

    /// <summary>A copy: the user may change the original before the loop's thread comes to it.</summary>
    private static Dictionary<string, string>? EnvironmentOf(SubprocessOptions options)
    {
        if (options.Environment is not { } environment) return null;
        var copy = new Dictionary<string, string>(environment.Count);
        foreach (var (name, value) in environment)
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0')) throw new ArgumentException($"\"{name}\" cannot be the name of an environment variable.", nameof(options));
            CheckText(value, nameof(options));
            copy.Add(name, value);
        }

        return copy;
    }

    private static Dictionary<int, SafeHandle>? DescriptorsOf(SubprocessOptions options)
    {
        if (options.ExtraDescriptors is not { } descriptors) return null;
        foreach (var (number, handle) in descriptors)
        {
            if (number is < FirstExtra or > LastExtra) throw new ArgumentOutOfRangeException(nameof(options), number, $"Extra descriptors have numbers from {FirstExtra} to {LastExtra} in the child.");
            ArgumentNullException.ThrowIfNull(handle, nameof(options));
            ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        }

        return new Dictionary<int, SafeHandle>(descriptors);
    }

    private static void CheckNames(SubprocessOptions options)
    {
        foreach (var name in (string?[])[options.Executable, options.WorkingDirectory])
        {
            if (name is null) continue;
            if (name.Length == 0) throw new ArgumentException("An empty name is the name of nothing; null is the default.", nameof(options));
            CheckText(name, nameof(options));
        }
    }

    /// <summary>C strings end at the first NUL: what stands behind it would be lost without a word.</summary>
    private static void CheckText(string text, string parameter)
    {
        ArgumentNullException.ThrowIfNull(text, parameter);
        if (text.Contains('\0')) throw new ArgumentException("A text with a NUL cannot be handed to a process.", parameter);
    }
}
