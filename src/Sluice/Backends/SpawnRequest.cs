using System.Runtime.InteropServices;

namespace Sluice.Backends;

/// <summary>What a child is to be. Checked by who makes it: no string holds a NUL, no descriptor is named twice.</summary>
internal sealed class SpawnRequest
{
    /// <summary>The program: a path where it has a slash, else a name to look for in PATH.</summary>
    public required string Program { get; init; }

    /// <summary>Argument zero and the others.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Where it starts, or null for where this process is.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Its environment, or null for this process's.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    public bool NewSession { get; init; }

    /// <summary>The process group to join, 0 for one of its own, or null for this process's.</summary>
    public int? ProcessGroup { get; init; }

    /// <summary>Its standard streams, three.</summary>
    public required ChildStream[] Streams { get; init; }

    /// <summary>Open files of the caller's by their numbers in the child, from 3 on.</summary>
    public IReadOnlyDictionary<int, SafeHandle>? ExtraDescriptors { get; init; }
}
