using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sluice;

/// <summary>How a child process is started.</summary>
public sealed record SubprocessOptions
{
    internal static SubprocessOptions Default { get; } = new();

    /// <summary>
    /// Where its standard input comes from. Null, the default: a pipe for the methods of <see cref="EventLoop"/>, this process's own for
    /// <see cref="Subprocess"/>. (asyncio: <c>stdin</c>.)
    /// </summary>
    public SubprocessStream? StandardInput { get; init; }

    /// <summary>Where its standard output goes; null as for <see cref="StandardInput"/>. (asyncio: <c>stdout</c>.)</summary>
    public SubprocessStream? StandardOutput { get; init; }

    /// <summary>Where its standard error goes; null as for <see cref="StandardInput"/>. (asyncio: <c>stderr</c>.)</summary>
    public SubprocessStream? StandardError { get; init; }

    /// <summary>The directory in which it starts. Null, the default: this process's. A program with a relative path is looked for from there. (asyncio: <c>cwd</c>.)</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>All of its environment; an empty one is empty. Null, the default: a copy of this process's. (asyncio: <c>env</c>.)</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>
    /// The file to run, where it is another than the program that was named; that one is then the child's argument zero alone. For a shell command: the shell, in
    /// place of <c>/bin/sh</c>. Null, the default: the program. (asyncio: <c>executable</c>.)
    /// </summary>
    public string? Executable { get; init; }

    /// <summary>Starts it in a session of its own, away from this process's terminal and its signals. Default: false. (asyncio: <c>start_new_session</c>.)</summary>
    public bool NewSession { get; init; }

    /// <summary>
    /// The process group that it joins, or 0 for one of its own, whose number is the child's. Null, the default: this process's, which gets Ctrl+C together with
    /// it. Not with <see cref="NewSession"/>. (asyncio: <c>process_group</c>.)
    /// </summary>
    public int? ProcessGroup { get; init; }

    /// <summary>
    /// Open files that it is to have beside its standard streams, by their numbers in the child, 3 to 255. They stay yours. It has no others of this process's.
    /// (asyncio: <c>pass_fds</c>.)
    /// </summary>
    public IReadOnlyDictionary<int, SafeHandle>? ExtraDescriptors { get; init; }

    /// <summary>The most bytes that may wait for the child's standard input; one more aborts that pipe. Default: 64 MiB.</summary>
    public int MaxWriteBufferSize { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// For <see cref="Subprocess"/>: how many bytes of an output are read ahead of you. With twice as many waiting, reading rests until you have read down to this
    /// many, and the child's pipe fills. Default: 64 KiB. (asyncio: <c>limit</c>.)
    /// </summary>
    public int ReadLimit { get; init; } = 64 * 1024;

    /// <summary>Whether the two are the same object. What two options say is not compared: some of it, such as a callback, cannot be.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(SubprocessOptions? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
