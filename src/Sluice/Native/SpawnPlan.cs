namespace Sluice.Native;

/// <summary>What posix_spawn is to do, in numbers and strings that need no more thought. Made by the launcher.</summary>
internal sealed class SpawnPlan
{
    /// <summary>The file to run. One that is not absolute counts from the child's directory.</summary>
    public required string Path { get; init; }

    /// <summary>Argument zero and the others.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>NAME=value each.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    /// <summary>Where the child starts, or null for where this process is.</summary>
    public string? Directory { get; init; }

    public bool NewSession { get; init; }

    /// <summary>The process group to join, 0 for one of the child's own, or null for this process's.</summary>
    public int? ProcessGroup { get; init; }

    /// <summary>
    /// Which descriptor of ours becomes which of the child's. No source may be the target of another entry: it would be overwritten before its turn.
    /// </summary>
    public required IReadOnlyList<(int Source, int Target)> Descriptors { get; init; }
}
