using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Sluice;

/// <summary>Where one of a child's standard streams leads. (asyncio: <c>PIPE</c>, <c>DEVNULL</c>, <c>STDOUT</c>, a file.)</summary>
[SuppressMessage("Naming", "CA1711", Justification = "It is what programs call a standard stream.")]
public sealed class SubprocessStream
{
    private readonly string _name;

    private SubprocessStream(string name, SafeHandle? handle = null)
    {
        _name = name;
        Handle = handle;
    }

    /// <summary>A pipe between the child and this process.</summary>
    public static SubprocessStream Pipe { get; } = new("pipe");

    /// <summary>Where this process's own stream leads: its terminal, mostly.</summary>
    public static SubprocessStream Inherit { get; } = new("inherited");

    /// <summary>Nowhere: reads find the end, writes vanish.</summary>
    public static SubprocessStream Null { get; } = new("null device");

    /// <summary>Only for the standard error: where the child's standard output leads, both in one order.</summary>
    public static SubprocessStream ToStandardOutput { get; } = new("standard output");

    /// <summary>The open file, where the stream leads to one.</summary>
    internal SafeHandle? Handle { get; }

    /// <summary>An open file, socket, terminal or end of a pipe. It stays yours, and may be closed as soon as the child has been started.</summary>
    /// <param name="handle">The open descriptor.</param>
    public static SubprocessStream To(SafeHandle handle)
    {
        ArgumentNullException.ThrowIfNull(handle);
        return new SubprocessStream("handle", handle);
    }

    /// <summary>An open file, from its present position on. It stays yours, and may be closed as soon as the child has been started.</summary>
    /// <param name="file">The file; what it has buffered is written to it first.</param>
    public static SubprocessStream To(FileStream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        // Asking for the handle flushes the stream and lets the system's position be its own.
        return new SubprocessStream("file", file.SafeFileHandle);
    }

    /// <summary>What it is, for logs.</summary>
    public override string ToString() => _name;
}
