using Sluice.Primitives;

namespace Sluice.Native;

/// <summary>
/// The end of a process whose descriptors are no longer what their owners believe: to go on would be to read, write or close someone
/// else's file.
/// </summary>
internal static class Defect
{
    /// <summary>Ends the process where the kernel says that a descriptor or an address of ours is not one.</summary>
    public static void CrashOn(IoError error, string call)
    {
        if (error.IsProgrammingError) Crash(error, call);
    }

    /// <summary>Ends the process.</summary>
    public static void Crash(IoError error, string call) =>
        Environment.FailFast($"Sluice: {call} failed with {error}. A descriptor was closed or reused behind its owner's back.");
}
