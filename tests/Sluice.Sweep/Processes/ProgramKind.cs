namespace Sluice.Sweep.Processes;

/// <summary>What the program of a <see cref="ChaosChild"/> does.</summary>
internal enum ProgramKind
{
    /// <summary>Repeats its input, to its end.</summary>
    Copy,

    /// <summary>Ends at once.</summary>
    Exit,

    /// <summary>Writes to both outputs, at its leisure, and ends.</summary>
    Print,

    /// <summary>Writes a little, and stays without reading.</summary>
    Stay,

    /// <summary>Survives SIGTERM, and reads to the end of its input.</summary>
    Stubborn,

    /// <summary>Starts a child of its own that has all its pipes, and ends. That one lives until its input ends.</summary>
    Leave,

    /// <summary>Closes its input, and ends after a while.</summary>
    Deaf,
}
