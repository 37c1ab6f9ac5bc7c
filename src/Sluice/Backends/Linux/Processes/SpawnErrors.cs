using System.Runtime.InteropServices;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Processes;

/// <summary>What a failed spawn throws: an exception that says what is missing, with the system's error number in its HResult where it has no type of its own.</summary>
internal static class SpawnErrors
{
    private const int NotPermitted = 1;
    private const int NoDirectory = 20;
    private const int NoSuchCall = 38;

    /// <summary>The program could not be started.</summary>
    public static Exception OfSpawn(SpawnRequest request, string path, IoError error)
    {
        var isMissing = error == IoError.NoEntry || error.Errno == NoDirectory;
        if (isMissing && request.WorkingDirectory is { } directory && !Directory.Exists(directory))
        {
            return new DirectoryNotFoundException($"The working directory \"{directory}\" does not exist; \"{request.Program}\" was not started.");
        }

        var text = $"Cannot start \"{path}\"{In(request.WorkingDirectory)}: {TextOf(error)}.";
        if (isMissing)
        {
            return new FileNotFoundException(File.Exists(path) ? text + " The file is there; what its first line names as its interpreter is not." : text, path);
        }

        return error == IoError.AccessDenied || error.Errno == NotPermitted ? new UnauthorizedAccessException(text) : new IOException(text, error.Errno);
    }

    /// <summary>No directory of PATH has the program.</summary>
    public static Exception OfSearch(string program, bool isForbidden) => isForbidden
        ? new UnauthorizedAccessException($"Cannot start \"{program}\": the one in PATH is not executable.")
        : new FileNotFoundException($"Cannot start \"{program}\": no directory of PATH has it.", program);

    /// <summary>The system has no pipe, descriptor or memory to spare.</summary>
    public static IOException OfResources(IoError error) => new($"Cannot start a process: {TextOf(error)}.", error.Errno);

    /// <summary>The system gives no descriptor of a process: it is too old, or a sandbox forbids it, unless it is out of resources.</summary>
    public static Exception OfWatch(IoError error) => error.Errno is NoSuchCall or NotPermitted || error == IoError.InvalidArgument
        ? new PlatformNotSupportedException("Child processes need pidfd_open and waitid(P_PIDFD): Linux 5.4 or newer, and no sandbox that forbids them.")
        : OfResources(error);

    private static string In(string? directory) => directory is null ? "" : $" in \"{directory}\"";

    private static string TextOf(IoError error) => Marshal.GetPInvokeErrorMessage(error.Errno);
}
