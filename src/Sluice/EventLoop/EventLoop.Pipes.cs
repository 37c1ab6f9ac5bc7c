using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends;
using Sluice.Connecting;
using Sluice.Loop;
using Sluice.Native;
using Sluice.Transports;

namespace Sluice;

/// <content>Pipes.</content>
public sealed partial class EventLoop
{
    private const int StandardInput = 0;
    private const int StandardOutput = 1;
    private const int StandardError = 2;

    /// <summary>
    /// Receives from the reading end of a pipe: a FIFO, a socket, or a character device such as a terminal. (asyncio: <c>connect_read_pipe</c>.)
    /// </summary>
    /// <remarks>
    /// <para>The transport takes the handle over and closes it after ConnectionLost, whatever comes. Meanwhile the open file is in non-blocking mode. That
    /// mode is shared by everybody who has the same open file, such as the shell whose terminal this is; it is put back when the transport lets go
    /// and when the loop ends, but not where the process is killed.</para>
    /// <para>The end of the stream closes the transport, whatever <see cref="StreamProtocol.EofReceived"/> returns: there is nothing to stay open for.</para>
    /// </remarks>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="pipe">The descriptor; for standard input see <see cref="OpenStandardInput"/>. Do not use it any more, whatever the outcome.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: the pipe is closed, and the protocol hears nothing.</param>
    /// <returns>The transport and its protocol, after ConnectionMade and before the first data.</returns>
    /// <exception cref="ArgumentException"><paramref name="pipe"/> is something else, such as a regular file, or not open for reading. It is left as it was.</exception>
    /// <exception cref="SocketException">In the task: the system has no descriptor or memory to spare.</exception>
    /// <exception cref="InvalidOperationException">In the task: the factory returned null or a protocol that serves another transport.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended, or the handle is closed.</exception>
    public Task<(IReadTransport Transport, TProtocol Protocol)> ConnectReadPipeAsync<TProtocol>(
        Func<TProtocol> protocolFactory, SafeHandle pipe, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IReadTransport> =>
        ConnectPipe<IReadTransport, TProtocol>(protocolFactory, pipe, pipe, PipeEnd.Read, MakeReader, cancellationToken);

    /// <inheritdoc cref="ConnectReadPipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="pipe">A <see cref="FileStream"/>, a <see cref="PipeStream"/> or a <see cref="NetworkStream"/>. What it has read ahead is lost: give it as it was opened.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: the pipe is closed, and the protocol hears nothing.</param>
    public Task<(IReadTransport Transport, TProtocol Protocol)> ConnectReadPipeAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Stream pipe, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IReadTransport> =>
        ConnectPipe<IReadTransport, TProtocol>(protocolFactory, PipeHandles.Of(pipe), pipe, PipeEnd.Read, MakeReader, cancellationToken);

    /// <inheritdoc cref="ConnectReadPipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="pipe">A socket that is only to be read. Do not use it any more, whatever the outcome.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: the socket is closed, and the protocol hears nothing.</param>
    public Task<(IReadTransport Transport, TProtocol Protocol)> ConnectReadPipeAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Socket pipe, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IReadTransport> =>
        ConnectPipe<IReadTransport, TProtocol>(protocolFactory, PipeHandles.Of(pipe), pipe, PipeEnd.Read, MakeReader, cancellationToken);

    /// <summary>
    /// Sends into the writing end of a pipe: a FIFO, a socket, or a character device such as a terminal. (asyncio: <c>connect_write_pipe</c>.)
    /// </summary>
    /// <remarks>
    /// <para>The transport takes the handle over and closes it after ConnectionLost, whatever comes; about its non-blocking mode see
    /// <see cref="ConnectReadPipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>.</para>
    /// <para>Except on a character device, the transport notices that the reader has gone, also where nothing is written: ConnectionLost gets null
    /// then, or a <see cref="SocketException"/> (<see cref="SocketError.Shutdown"/>: broken pipe) where bytes are left that nobody will read.
    /// <see cref="IWriteTransport.WriteEof"/> is <see cref="IBaseTransport.Close"/>: the reader sees the end of the stream behind all that was written.</para>
    /// <para>A TCP connection is better served by <see cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, Socket, ConnectionOptions?, CancellationToken)"/>,
    /// which also reads: input that stays unread makes TCP destroy what is still on its way when the socket is closed.</para>
    /// </remarks>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="pipe">The descriptor; for standard output see <see cref="OpenStandardOutput"/>. Do not use it any more, whatever the outcome.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: the pipe is closed, and the protocol hears nothing.</param>
    /// <returns>The transport and its protocol, after ConnectionMade.</returns>
    /// <exception cref="ArgumentException"><paramref name="pipe"/> is something else, such as a regular file, or not open for writing. It is left as it was.</exception>
    /// <exception cref="SocketException">In the task: the system has no descriptor or memory to spare.</exception>
    /// <exception cref="InvalidOperationException">In the task: the factory returned null or a protocol that serves another transport.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended, or the handle is closed.</exception>
    public Task<(IWriteTransport Transport, TProtocol Protocol)> ConnectWritePipeAsync<TProtocol>(
        Func<TProtocol> protocolFactory, SafeHandle pipe, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IWriteTransport> =>
        ConnectPipe<IWriteTransport, TProtocol>(protocolFactory, pipe, pipe, PipeEnd.Write, MakeWriter, cancellationToken);

    /// <inheritdoc cref="ConnectWritePipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="pipe">A <see cref="FileStream"/>, a <see cref="PipeStream"/> or a <see cref="NetworkStream"/>. Flush before what you have written to it yourself.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: the pipe is closed, and the protocol hears nothing.</param>
    public Task<(IWriteTransport Transport, TProtocol Protocol)> ConnectWritePipeAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Stream pipe, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IWriteTransport> =>
        ConnectPipe<IWriteTransport, TProtocol>(protocolFactory, PipeHandles.Of(pipe), pipe, PipeEnd.Write, MakeWriter, cancellationToken);

    /// <inheritdoc cref="ConnectWritePipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="pipe">A socket that is only to be written to. Do not use it any more, whatever the outcome.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: the socket is closed, and the protocol hears nothing.</param>
    public Task<(IWriteTransport Transport, TProtocol Protocol)> ConnectWritePipeAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Socket pipe, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IWriteTransport> =>
        ConnectPipe<IWriteTransport, TProtocol>(protocolFactory, PipeHandles.Of(pipe), pipe, PipeEnd.Write, MakeWriter, cancellationToken);

    /// <summary>
    /// A handle of your own to this process's standard input, to give to
    /// <see cref="ConnectReadPipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>: closing it leaves descriptor 0 open.
    /// </summary>
    /// <exception cref="SocketException">Standard input is closed, or the system has no descriptor to spare.</exception>
    public static SafeFileHandle OpenStandardInput() => OpenStandard(StandardInput, "standard input");

    /// <summary>As <see cref="OpenStandardInput"/>, for standard output and <see cref="ConnectWritePipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>.</summary>
    /// <exception cref="SocketException">Standard output is closed, or the system has no descriptor to spare.</exception>
    public static SafeFileHandle OpenStandardOutput() => OpenStandard(StandardOutput, "standard output");

    /// <summary>As <see cref="OpenStandardInput"/>, for standard error and <see cref="ConnectWritePipeAsync{TProtocol}(Func{TProtocol}, SafeHandle, CancellationToken)"/>.</summary>
    /// <exception cref="SocketException">Standard error is closed, or the system has no descriptor to spare.</exception>
    public static SafeFileHandle OpenStandardError() => OpenStandard(StandardError, "standard error");

    private static StreamTransport MakeReader(
        LoopCore core, StreamChannel channel, IProtocol<IReadTransport> protocol, in TransportOrigin origin, object pipe) =>
        new ReadPipeTransport(core, channel, protocol, origin, pipe);

    private static StreamTransport MakeWriter(
        LoopCore core, StreamChannel channel, IProtocol<IWriteTransport> protocol, in TransportOrigin origin, object pipe) =>
        new WritePipeTransport(core, channel, protocol, origin, pipe);

    private Task<(TTransport Transport, TProtocol Protocol)> ConnectPipe<TTransport, TProtocol>(
        Func<TProtocol> protocolFactory, SafeHandle handle, object pipe, PipeEnd end, MakePipeTransport<TTransport> make, CancellationToken cancellationToken)
        where TTransport : class, IBaseTransport
        where TProtocol : class, IProtocol<TTransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        PipeHandles.Check(_core.Backend, handle, end, nameof(pipe));
        return new PipeConnector<TTransport, TProtocol>(Services, protocolFactory, handle, pipe, end, make, cancellationToken).Start();
    }

    private static SafeFileHandle OpenStandard(int fd, string name)
    {
        var duplicate = Syscalls.System.Duplicate(fd, out var error);
        return error.IsNone ? new SafeFileHandle(duplicate, ownsHandle: true) : throw error.ToException($"open {name}");
    }
}
