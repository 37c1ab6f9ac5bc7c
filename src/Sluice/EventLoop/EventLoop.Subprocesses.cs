using Sluice.Spawning;

namespace Sluice;

/// <content>Child processes.</content>
public sealed partial class EventLoop
{
    /// <summary>The children of this loop that are not lost yet.</summary>
    internal IReadOnlyList<ISubprocessTransport> Children => Members.Children.Snapshot();

    /// <summary>
    /// Starts a program and gives it a protocol. The caller resumes after ConnectionMade; where the child is short-lived, others of its callbacks may have come by then. Callable
    /// from any thread. (asyncio: <c>subprocess_exec</c>.)
    /// </summary>
    /// <remarks>
    /// <para>The three standard streams are pipes unless the options say otherwise. The child has no other open file of this process's, but for
    /// <see cref="SubprocessOptions.ExtraDescriptors"/>; it blocks no signal, and SIGPIPE has its default action.</para>
    /// <para>A name without a slash is looked for in this process's PATH, whatever the child's environment says; one with a slash is a path, from the child's directory. No shell
    /// has a part in it: arguments arrive as they are.</para>
    /// <para>The loop's thread rests until the program has been loaded, about a millisecond.</para>
    /// </remarks>
    /// <param name="protocolFactory">Called once on the loop's thread, before the child is started; returns a protocol that serves nobody else.</param>
    /// <param name="program">The program, which is also the child's argument zero.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="options">How it is started, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: a child that was started is killed and has ended when the task is cancelled, and the protocol hears nothing.</param>
    /// <exception cref="ArgumentException">Something that no process can have: a NUL in a text, a bad name of a variable, options that exclude each other.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended, or a handle in the options is closed.</exception>
    /// <exception cref="FileNotFoundException">In the task: there is no such program.</exception>
    /// <exception cref="DirectoryNotFoundException">In the task: there is no such working directory.</exception>
    /// <exception cref="UnauthorizedAccessException">In the task: the program may not be executed, or the directory not be entered.</exception>
    /// <exception cref="IOException">In the task: the system cannot start it for another reason. Nothing is left open, whatever is thrown.</exception>
    /// <exception cref="InvalidOperationException">In the task: the factory returned null or a protocol that serves another transport.</exception>
    /// <exception cref="PlatformNotSupportedException">In the task: the system cannot watch children; Linux does from 5.4 on.</exception>
    public Task<(ISubprocessTransport Transport, TProtocol Protocol)> SubprocessExecAsync<TProtocol>(
        Func<TProtocol> protocolFactory,
        string program,
        IEnumerable<string> arguments,
        SubprocessOptions? options = null,
        CancellationToken cancellationToken = default)
        where TProtocol : SubprocessProtocol
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        options ??= SubprocessOptions.Default;
        var request = SpawnRequests.Of(program, arguments, options, SubprocessStream.Pipe);
        return new SubprocessStart<TProtocol>(_core, Members, protocolFactory, request, options, cancellationToken).Start();
    }

    /// <summary>
    /// Has the shell (<c>/bin/sh -c</c>) run a command, and gives it a protocol. The command is a program in the shell's language: never build it of what comes from
    /// elsewhere, which
    /// <see cref="SubprocessExecAsync{TProtocol}(Func{TProtocol}, string, IEnumerable{string}, SubprocessOptions?, CancellationToken)"/> takes as arguments. (asyncio: <c>subprocess_shell</c>.)
    /// </summary>
    /// <inheritdoc cref="SubprocessExecAsync{TProtocol}(Func{TProtocol}, string, IEnumerable{string}, SubprocessOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread, before the child is started; returns a protocol that serves nobody else.</param>
    /// <param name="command">The command.</param>
    /// <param name="options">How it is started, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade.</param>
    public Task<(ISubprocessTransport Transport, TProtocol Protocol)> SubprocessShellAsync<TProtocol>(
        Func<TProtocol> protocolFactory, string command, SubprocessOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : SubprocessProtocol
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        options ??= SubprocessOptions.Default;
        var request = SpawnRequests.OfShell(command, options, SubprocessStream.Pipe);
        return new SubprocessStart<TProtocol>(_core, Members, protocolFactory, request, options, cancellationToken).Start();
    }
}
