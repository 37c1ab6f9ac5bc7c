using Microsoft.Win32.SafeHandles;
using Sluice.Transports;

namespace Sluice;

/// <content>Sending files.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Sends a file over a connection, behind what was written before: by the kernel, from its page cache, where transport and file allow it, else by
    /// reading blocks and writing them. Callable from any thread. (asyncio: <c>sendfile</c>.)
    /// </summary>
    /// <remarks>
    /// <para>The kernel can send a regular file over a TCP or Unix connection of the library's own. Until the task is done, writing to the
    /// transport and WriteEof throw InvalidOperationException, and reading is paused; it goes on afterwards if it went on before and you did not call PauseReading or
    /// ResumeReading meanwhile. Close ends the sending, it does not wait for it. A file that is not in memory is read from the disk on the loop's
    /// thread.</para>
    /// <para>Everything else goes by the fallback: other transports, among them all that encrypt, and other kinds of files. It reads 16 KiB at a time off the
    /// loop's thread and heeds the watermarks. Meanwhile a private protocol takes the place of yours, which hears of nothing but the loss and a drain of its server; at the end it is
    /// put back and told to pause or to go on, where that has changed. When the task is done the last bytes may still be in the write buffer.</para>
    /// <para>One file is sent over a transport at a time. Datagram transports and pipes cannot send files: there is no overload for them.</para>
    /// </remarks>
    /// <param name="transport">A connection of this loop.</param>
    /// <param name="file">
    /// The file. What it has buffered is written out first. If any byte was sent, its position is afterwards <paramref name="offset"/> plus the
    /// bytes sent, also where the task fails; otherwise it does not change. Do not use it before the task is done.
    /// </param>
    /// <param name="offset">Where in the file to begin; the file's own position does not matter.</param>
    /// <param name="count">How many bytes, or null for all to the end that the file has now. Fewer are sent where it ends before.</param>
    /// <param name="fallback">Whether it may read and write where the kernel cannot send the file.</param>
    /// <param name="cancellationToken">
    /// Gives up: no more bytes are sent, and the connection lives on. A part may have been sent already, and the file's position tells how much; a peer that expects
    /// the rest is best left with an Abort.
    /// </param>
    /// <returns>How many bytes were sent: 0 where the file is empty or ends before the offset.</returns>
    /// <exception cref="ArgumentException">The file cannot be read, or it cannot seek and an offset is given.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> is negative, or <paramref name="count"/> is not positive.</exception>
    /// <exception cref="InvalidOperationException">
    /// The transport is closing; or WriteEof was called, or it sends a file already: these two in the task where the caller is not on the loop's thread.
    /// </exception>
    /// <exception cref="SendFileNotAvailableException">In the task: the kernel cannot do it, and <paramref name="fallback"/> is false. Nothing was sent.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">
    /// In the task: the connection broke, or was closed or aborted before all was sent (<see cref="System.Net.Sockets.SocketError.ConnectionAborted"/>).
    /// </exception>
    /// <exception cref="IOException">In the task: the file cannot be read any further. The connection lives on.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<long> SendFileAsync(
        ITransport transport, FileStream file, long offset = 0, long? count = null, bool fallback = true, CancellationToken cancellationToken = default) =>
        SendFileAsync(transport, (Stream)file, offset, count, fallback, cancellationToken);

    /// <inheritdoc cref="SendFileAsync(ITransport, FileStream, long, long?, bool, CancellationToken)"/>
    /// <param name="transport">A connection of this loop.</param>
    /// <param name="file">The handle of a file that is open for reading. Its position is neither used nor changed; do not close it before the task is done.</param>
    /// <param name="offset">Where in the file to begin; 0 for one that cannot seek, which is read from where it is.</param>
    /// <param name="count">How many bytes, or null for all to the end that the file has now. Fewer are sent where it ends before.</param>
    /// <param name="fallback">Whether it may read and write where the kernel cannot send the file.</param>
    /// <param name="cancellationToken">Gives up: no more bytes are sent, and the connection lives on. A part may have been sent already.</param>
    /// <exception cref="ArgumentException">The handle is closed or invalid.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="offset"/> is negative, or <paramref name="count"/> is not positive.</exception>
    public Task<long> SendFileAsync(
        ITransport transport, SafeFileHandle file, long offset = 0, long? count = null, bool fallback = true, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (file.IsClosed || file.IsInvalid) throw new ArgumentException("The file is not open.", nameof(file));
        return SendAsync(transport, () => FileSource.Of(file, offset), offset, count, fallback, cancellationToken);
    }

    /// <summary>Sends what a stream holds, by the fallback unless it is a <see cref="FileStream"/>. (asyncio: <c>sendfile</c>.)</summary>
    /// <inheritdoc cref="SendFileAsync(ITransport, FileStream, long, long?, bool, CancellationToken)"/>
    /// <param name="transport">A connection of this loop.</param>
    /// <param name="file">
    /// The stream. It should read without blocking the thread. One that can seek has its position set as that of a file.
    /// </param>
    /// <param name="offset">Where in the stream to begin; 0 for one that cannot seek, which is read from where it is.</param>
    /// <param name="count">How many bytes, or null for all to the end. Fewer are sent where it ends before.</param>
    /// <param name="fallback">Whether it may read and write where the kernel cannot send the file.</param>
    /// <param name="cancellationToken">Gives up: no more bytes are sent, and the connection lives on. A part may have been sent already.</param>
    public Task<long> SendFileAsync(
        ITransport transport, Stream file, long offset = 0, long? count = null, bool fallback = true, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(file);
        if (!file.CanRead) throw new ArgumentException("The file is not open for reading.", nameof(file));
        if (offset > 0 && !file.CanSeek) throw new ArgumentException("What cannot seek is sent from where it is: there is no offset.", nameof(offset));
        return SendAsync(transport, () => FileSource.Of(file, offset), offset, count, fallback, cancellationToken);
    }

    private Task<long> SendAsync(
        ITransport transport, Func<FileSource> open, long offset, long? count, bool fallback, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(transport);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (count is { } given) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(given, nameof(count));
        if (transport is StreamTransport own && own.Loop != _core) throw new ArgumentException("The transport belongs to another loop.", nameof(transport));
        if (transport.IsClosing) throw new InvalidOperationException("The transport is closing.");
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<long>(cancellationToken);
        var transfer = new FileTransfer(_core, transport, open, count, fallback, cancellationToken);
        return _core.IsOnThread ? transfer.Begin() : InvokeAsync(transfer.Begin);
    }
}
