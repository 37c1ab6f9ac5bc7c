using System.Net.Sockets;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Sluice.Subprocesses;

namespace Sluice;

/// <summary>
/// A child process with streams instead of callbacks. (asyncio: <c>asyncio.subprocess.Process</c>, <c>create_subprocess_exec</c>, <c>create_subprocess_shell</c>.)
/// </summary>
/// <remarks>
/// Belongs to the loop on whose thread it was started, as its streams do: use all of them there. A stream's synchronous reads throw, because they would stop the loop. Dispose of it
/// when you are done: that kills a child that still runs. How signals differ between systems: see <see cref="ISubprocessTransport"/>.
/// </remarks>
public sealed class Subprocess : IAsyncDisposable
{
    /// <summary>How many bytes an output may have where nobody says: 64 MiB.</summary>
    public const int DefaultOutputLimit = 64 * 1024 * 1024;

    private static readonly TimeSpan UsualGrace = TimeSpan.FromSeconds(5);

    private readonly EventLoop _loop;
    private readonly ISubprocessTransport _transport;
    private readonly SubprocessStreams _streams;
    private readonly MemoryStream?[] _collected = new MemoryStream?[2];

    private Subprocess(EventLoop loop, ISubprocessTransport transport, SubprocessStreams streams)
    {
        _loop = loop;
        _transport = transport;
        _streams = streams;
    }

    /// <inheritdoc cref="ISubprocessTransport.ProcessId"/>
    public int ProcessId => _transport.ProcessId;

    /// <inheritdoc cref="ISubprocessTransport.ReturnCode"/>
    public int? ReturnCode => _transport.ReturnCode;

    /// <summary>
    /// Writes to the child's standard input; null where that is no pipe. <c>WriteAsync</c> and <c>FlushAsync</c> wait while the child is slow; <c>Write</c> queues without waiting.
    /// They throw an <see cref="IOException"/> once the child reads no more. Dispose of it to let the child see the end.
    /// </summary>
    public Stream? StandardInput => _streams.Input;

    /// <summary>
    /// Reads the child's standard output; null where that is no pipe. What you do not read fills <see cref="SubprocessOptions.ReadLimit"/> and then the pipe, and the child waits.
    /// </summary>
    public Stream? StandardOutput => _streams.Output;

    /// <summary>Reads the child's standard error; else as <see cref="StandardOutput"/>.</summary>
    public Stream? StandardError => _streams.Error;

    /// <summary>
    /// Starts a program whose streams lead where this process's lead, unless the options say otherwise. On a loop's thread. (asyncio: <c>create_subprocess_exec</c>.)
    /// </summary>
    /// <inheritdoc cref="EventLoop.SubprocessExecAsync{TProtocol}(Func{TProtocol}, string, IEnumerable{string}, SubprocessOptions?, CancellationToken)"/>
    /// <param name="program">The program, which is also the child's argument zero.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="options">How it is started, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the child is there.</param>
    public static Task<Subprocess> StartAsync(
        string program, IEnumerable<string> arguments, SubprocessOptions? options = null, CancellationToken cancellationToken = default)
    {
        options = Inheriting(options);
        var loop = EventLoop.Current;
        return OverAsync(loop, loop.SubprocessExecAsync(
            () => new SubprocessStreams(loop.Core, options.ReadLimit), program, arguments, options, cancellationToken));
    }

    /// <summary>
    /// Has the shell run a command whose streams lead where this process's lead, unless the options say otherwise. Never build a command of what comes from
    /// elsewhere. On a loop's thread. (asyncio: <c>create_subprocess_shell</c>.)
    /// </summary>
    /// <inheritdoc cref="EventLoop.SubprocessExecAsync{TProtocol}(Func{TProtocol}, string, IEnumerable{string}, SubprocessOptions?, CancellationToken)"/>
    /// <param name="command">The command.</param>
    /// <param name="options">How it is started, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the child is there.</param>
    public static Task<Subprocess> StartShellAsync(string command, SubprocessOptions? options = null, CancellationToken cancellationToken = default)
    {
        options = Inheriting(options);
        var loop = EventLoop.Current;
        return OverAsync(loop, loop.SubprocessShellAsync(() => new SubprocessStreams(loop.Core, options.ReadLimit), command, options, cancellationToken));
    }

    /// <summary>
    /// Runs a program to its end: hands it the input, collects its two outputs, and waits. All three streams are pipes unless the options say otherwise. On a loop's thread.
    /// (Python: <c>subprocess.run</c>.)
    /// </summary>
    /// <inheritdoc cref="EventLoop.SubprocessExecAsync{TProtocol}(Func{TProtocol}, string, IEnumerable{string}, SubprocessOptions?, CancellationToken)"/>
    /// <param name="program">The program, which is also the child's argument zero.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="input">What its standard input gives it before the end.</param>
    /// <param name="options">How it is started, or null for the defaults.</param>
    /// <param name="outputLimit">The most bytes of each output.</param>
    /// <param name="cancellationToken">Kills the child.</param>
    /// <returns>Its return code, whatever that is, and its outputs.</returns>
    /// <exception cref="SubprocessOutputLimitException">It wrote more, and was killed.</exception>
    public static Task<SubprocessResult> RunAsync(
        string program,
        IEnumerable<string> arguments,
        ReadOnlyMemory<byte> input = default,
        SubprocessOptions? options = null,
        int outputLimit = DefaultOutputLimit,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(outputLimit);
        options = With(options ?? SubprocessOptions.Default, SubprocessStream.Pipe);
        return RunAsync(StartAsync(program, arguments, options, cancellationToken), input, outputLimit, cancellationToken);
    }

    /// <summary>
    /// Waits until the child has ended; any number of callers may. Its own children, which may hold its pipes, are not waited for. (asyncio: <c>wait</c>.)
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; the child goes on.</param>
    /// <returns>The return code.</returns>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public Task<int> WaitAsync(CancellationToken cancellationToken = default)
    {
        _loop.Core.VerifyThread();
        return _streams.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Hands the child the input and the end of it, reads both outputs to their ends at the same time, and waits: what one of them holds up never blocks another. A child that does
    /// not read all is no error; where it has ended and a child of its own reads on, that one gets the rest. (asyncio: <c>communicate</c>.)
    /// </summary>
    /// <param name="input">What it is given, of any size, as fast as it reads; the memory must not change meanwhile.</param>
    /// <param name="outputLimit">The most bytes of each output, all calls together.</param>
    /// <param name="cancellationToken">
    /// Ends the wait; the child goes on. What was collected until then is kept for the next call. Of the input the child gets what was handed over until then; its end is not told.
    /// </param>
    /// <returns>The return code, and what came through the pipes.</returns>
    /// <exception cref="SubprocessOutputLimitException">The child wrote more, and was killed.</exception>
    /// <exception cref="InvalidOperationException">Called off the loop's thread, or somebody reads from an output.</exception>
    /// <exception cref="ArgumentException">Input for a child whose standard input is no pipe.</exception>
    public Task<SubprocessResult> CommunicateAsync(
        ReadOnlyMemory<byte> input = default, int outputLimit = DefaultOutputLimit, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(outputLimit);
        _loop.Core.VerifyThread();
        if (!input.IsEmpty && _streams.Input is null) throw new ArgumentException("The child's standard input is no pipe.", nameof(input));
        return ExchangeAsync(input, outputLimit, cancellationToken);
    }

    /// <inheritdoc cref="ISubprocessTransport.SendSignal"/>
    public void SendSignal(PosixSignal signal) => _transport.SendSignal(signal);

    /// <inheritdoc cref="ISubprocessTransport.Terminate"/>
    public void Terminate() => _transport.Terminate();

    /// <inheritdoc cref="ISubprocessTransport.Kill"/>
    public void Kill() => _transport.Kill();

    /// <summary>Asks the child to end (SIGTERM), kills it (SIGKILL) where it has not ended in time, and waits for the end.</summary>
    /// <param name="grace">How long it may take. Null: 5 s.</param>
    /// <returns>The return code.</returns>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public async Task<int> TerminateAsync(TimeSpan? grace = null)
    {
        _loop.Core.VerifyThread();
        if (ReturnCode is { } code) return code;
        Terminate();
        var end = _loop.CallLater(grace ?? UsualGrace, () =>
        {
            if (ReturnCode is null) Kill();
        });
        code = await WaitAsync();
        end.Cancel();
        return code;
    }

    /// <summary>Closes the pipes, kills a child that still runs, and completes when nothing is left of it.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public async ValueTask DisposeAsync()
    {
        _transport.Close();
        await _streams.Lost;
    }

    /// <summary>Number and state, for logs.</summary>
    public override string ToString() => $"<Subprocess {ProcessId}{(ReturnCode is { } code ? $" returncode={code}" : "")}>";

    private static SubprocessOptions Inheriting(SubprocessOptions? options) => With(options ?? SubprocessOptions.Default, SubprocessStream.Inherit);

    private static SubprocessOptions With(SubprocessOptions options, SubprocessStream usual) => options with
    {
        StandardInput = options.StandardInput ?? usual,
        StandardOutput = options.StandardOutput ?? usual,
        StandardError = options.StandardError ?? usual,
    };

    private static async Task<Subprocess> OverAsync(EventLoop loop, Task<(ISubprocessTransport Transport, SubprocessStreams Streams)> start)
    {
        var (transport, streams) = await start;
        return new Subprocess(loop, transport, streams);
    }

    private static async Task<SubprocessResult> RunAsync(Task<Subprocess> start, ReadOnlyMemory<byte> input, int outputLimit, CancellationToken cancellation)
    {
        await using var child = await start;
        return await child.CommunicateAsync(input, outputLimit, cancellation);
    }

    private async Task<SubprocessResult> ExchangeAsync(ReadOnlyMemory<byte> input, int outputLimit, CancellationToken cancellation)
    {
        var output = CollectAsync(0, _streams.Output, outputLimit, cancellation);
        var error = CollectAsync(1, _streams.Error, outputLimit, cancellation);
        var feeding = FeedAsync(input, cancellation);

        // All come to their ends before one of them counts: none goes on behind the caller's back.
        Exception?[] failures = [await FailureOf(output), await FailureOf(error), await FailureOf(feeding)];
        var failure = Array.Find(failures, static failure => failure is not null);
        if (failure is SubprocessOutputLimitException) await WaitAsync(CancellationToken.None);
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        var code = await WaitAsync(cancellation);
        await output;
        await error;
        return new SubprocessResult(code, Take(0), Take(1));
    }

    private async Task FeedAsync(ReadOnlyMemory<byte> input, CancellationToken cancellation)
    {
        if (_streams.Input is not { } stream) return;
        try
        {
            if (!input.IsEmpty) await stream.WriteAsync(input, cancellation);
        }
        catch (IOException exception) when (exception.InnerException is SocketException)
        {
            // The pipe is broken: the child has closed its input, or has ended. It did not want the rest.
        }

        stream.Dispose();
    }

    // What has been read stays here until a call returns it.
    private async Task CollectAsync(int index, Stream? output, int limit, CancellationToken cancellation)
    {
        if (output is null) return;
        var buffer = new byte[32 * 1024];
        var collected = _collected[index] ??= new MemoryStream();
        while (await output.ReadAsync(buffer, cancellation) is > 0 and var count)
        {
            if (collected.Length + count > limit)
            {
                // Everything of it ends, the other output too.
                _transport.Close();
                throw new SubprocessOutputLimitException(limit);
            }

            collected.Write(buffer, 0, count);
        }
    }

    private byte[]? Take(int index)
    {
        var collected = _collected[index];
        _collected[index] = null;
        return collected?.ToArray();
    }

    private static async Task<Exception?> FailureOf(Task task)
    {
        try
        {
            await task;
            return null;
        }
        catch (Exception exception)
        {
            return exception;
        }
    }
}
