using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// A part of a file on its way into a socket by the kernel alone. Made for one call of the user's, held by its transport while it is under
/// way; lives on the loop's thread.
/// </summary>
/// <remarks><code>
/// Start -> (the queue drains) -> Advance, and again whenever the kernel has room -> End
///             ends early by: an error of the file, the loss or close of the connection, cancellation
/// </code></remarks>
internal sealed class FileSend : ILoopWork
{
    // A fast peer must not keep the loop from the others.
    private const int MostAtOnce = 1024 * 1024;

    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SafeFileHandle _file;
    private readonly long _offset;
    private readonly long _count;
    private StreamTransport? _transport;
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;
    private bool _holdsFile;
    private bool _hasBegun;

    /// <param name="file">A regular file.</param>
    /// <param name="offset">Its first byte to send.</param>
    /// <param name="count">How many bytes, at least one. Fewer are sent where the file has become shorter.</param>
    public FileSend(SafeFileHandle file, long offset, long count)
    {
        _file = file;
        _offset = offset;
        _count = count;
    }

    /// <summary>How many bytes the kernel has taken.</summary>
    public long Sent { get; private set; }

    /// <summary>Done when nothing more will be sent.</summary>
    public Task Done => _source.Task;

    /// <summary>Why other calls that would send have to wait.</summary>
    public static InvalidOperationException InProgress() => new("sendfile is in progress: nothing else can be written until its task is done.");

    /// <summary>What the task ends with where the connection ends under it.</summary>
    /// <param name="reason">Why the connection ended, where it did not end in order.</param>
    public static Exception Interrupted(Exception? reason) => reason is SocketException or IOException
        ? reason
        : new SocketException((int)SocketError.ConnectionAborted, "The connection was closed before the whole file was sent.");

    /// <summary>
    /// Begins, behind what was written before. From here on the file stays open, nothing is read unless the user wants it, and a cancellation is heard, which may be at once.
    /// </summary>
    /// <exception cref="InvalidOperationException">The transport is closing, its sending side was ended, or it sends a file already.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public void Start(StreamTransport transport, CancellationToken cancellation)
    {
        if (transport.State.IsClosing) throw new InvalidOperationException("The transport is closing.");
        transport.Sending.CheckOpen();
        // Keeps the descriptor from being closed and its number from being reused meanwhile.
        _file.DangerousAddRef(ref _holdsFile);
        _transport = transport;
        _cancellation = cancellation;
        transport.File = this;
        transport.Receiving.Hold();
        _registration = cancellation.UnsafeRegister(static self => ((FileSend)self!).Cancel(), this);
        if (!IsUnderWay) return;
        if (transport.Sending.IsDrained) Advance();
        else transport.Sending.Flush();
    }

    /// <summary>What was written before the file has left.</summary>
    public void OnDrained()
    {
        if (!_hasBegun) Advance();
    }

    /// <summary>The kernel has room for more, or will never have any.</summary>
    public void OnRoom(IoError error)
    {
        if (error.IsNone) Advance();
        else _transport!.LoseBroken(error);
    }

    /// <summary>The connection ends, or is asked to.</summary>
    public void Interrupt(Exception? reason) => End(Interrupted(reason));

    /// <summary>The turn of a cancellation that came from another thread.</summary>
    void ILoopWork.Run(int code) => CancelHere();

    private bool IsUnderWay => _transport!.File == this;

    private void Cancel()
    {
        var loop = _transport!.Loop;
        if (loop.IsOnThread) CancelHere();
        else loop.TryPost(this, 0);
    }

    private void CancelHere()
    {
        if (IsUnderWay) End(new OperationCanceledException(_cancellation));
    }

    private void Advance()
    {
        var channel = _transport!.Channel;
        if (!TrySendRest(channel, out var error)) channel.AwaitRoom();
        else if (error.EndsConnection) _transport.LoseBroken(error);
        else End(Failure(error));
    }

    /// <summary>Hands the kernel the next piece.</summary>
    /// <returns>True where it is over: all is sent, the file has no more, or there is an error.</returns>
    private bool TrySendRest(StreamChannel channel, out IoError error)
    {
        _hasBegun = true;
        var mayTakeMore = channel.TrySendFile(_file, _offset + Sent, Math.Min(_count - Sent, MostAtOnce), out var sent, out error);
        Sent += sent;
        if (sent > 0) _transport!.Limits.NoteWritten(_transport.Loop);
        return !error.IsNone || Sent == _count || (mayTakeMore && sent == 0);
    }

    /// <summary>What an error that is not the connection's means: before the first byte, that the kernel cannot do it.</summary>
    private Exception? Failure(IoError error)
    {
        if (error.IsNone) return null;
        var text = Marshal.GetPInvokeErrorMessage(error.Errno);
        return Sent == 0
            ? new SendFileNotAvailableException($"The kernel cannot send this file by itself: {text}. The fallback can.")
            : new IOException($"sendfile, after {Sent} bytes: {text}");
    }

    /// <summary>Nothing more is sent: the transport is as it was before, and the task is done.</summary>
    private void End(Exception? reason)
    {
        _transport!.File = null;
        _transport.Channel.StopAwaitingRoom();
        _transport.Receiving.Release();
        _registration.Unregister();
        if (_holdsFile) _file.DangerousRelease();
        _holdsFile = false;
        if (reason is null) _source.TrySetResult();
        else if (reason is OperationCanceledException cancelled) _source.TrySetCanceled(cancelled.CancellationToken);
        else _source.TrySetException(reason);
    }
}
