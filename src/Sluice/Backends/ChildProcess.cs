using System.Runtime.InteropServices;

namespace Sluice.Backends;

/// <summary>A child in a backend: its id, our ends of its pipes, and the watch over its end. Owned by its transport; used on the loop's thread.</summary>
internal abstract class ChildProcess
{
    /// <summary>The system's number of it. Never signal by it: once the child has ended it may be another's.</summary>
    public abstract int Id { get; }

    /// <summary>Our ends of its pipes by its descriptors 0, 1 and 2; null where it has none. Whoever asked for the child owns them.</summary>
    public abstract StreamChannel?[] Pipes { get; }

    /// <summary>It has ended, perhaps without the sink's having been told yet.</summary>
    public abstract bool HasEnded { get; }

    /// <summary>Sends it a signal.</summary>
    /// <param name="number">The system's number of the signal.</param>
    /// <returns>False once its end has been reported: it gets no signal any more.</returns>
    /// <exception cref="UnauthorizedAccessException">It runs as somebody else.</exception>
    public abstract bool TrySignal(int number);
}

/// <summary>Hears of a child's end: one call, from Poll. The child is no zombie by then.</summary>
internal interface IExitSink
{
    /// <param name="returnCode">The exit code, -N where signal N ended it, or null where somebody else has taken the status.</param>
    void OnExited(int? returnCode);
}

/// <summary>Where one of a child's standard streams leads.</summary>
internal enum ChildStreamKind
{
    /// <summary>A pipe to us.</summary>
    Pipe,

    /// <summary>Where ours leads.</summary>
    Inherited,

    /// <summary>Nowhere.</summary>
    Null,

    /// <summary>An open file of the caller's.</summary>
    Handle,

    /// <summary>Only of standard error: where the standard output leads.</summary>
    StandardOutput,
}

/// <summary>One of a child's standard streams.</summary>
/// <param name="Kind">Where it leads.</param>
/// <param name="Handle">The open file, for that kind alone; it stays the caller's.</param>
internal readonly record struct ChildStream(ChildStreamKind Kind, SafeHandle? Handle = null);
