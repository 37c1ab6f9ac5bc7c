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
/// StartFile -> (the queue drains) -> Advance, and again whenever the kernel has room -> Complete
///                 ends early by: an error of the file, the loss or close of the connection, cancellation
/// </code></remarks>
internal sealed class FileSend : ILoopWork
{
    // A fast peer must not keep the loop from the others.
    private const int MostAtOnce = 1024 * 1024;

    private readonly TaskCompletionSource _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SafeFileHandle _file;
    private readonly long _offset;
    private readonly long _count;
    private SendingTransport? _transport;
    private CancellationToken _cancellation;
    private CancellationTokenRegistration _registration;
    private bool _holdsFile;

    /// <param name="file">A regular file.</param>
    /// <param name="offset">Its first byte to send.</param>
    /// <param name="count">How many bytes, at least one. Fewer are sent where the file has become shorter.</param>
    public FileSend(SafeFileHandle file, long offset, long count)
    {
        _file = file;
        _offset = offset;
        _count = count;
    }

    /// <summary>The kernel has been asked: from here on the file waits for room only.</summary>
    public bool HasBegun { get; private set; }

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

    /// <summary>From here on the file stays open and a cancellation is heard, which may be at once.</summary>
    public void Begin(SendingTransport transport, CancellationToken cancellation)
    {
        _transport = transport;
        _cancellation = cancellation;
        _registration = cancellation.UnsafeRegister(static self => ((FileSend)self!).Cancel(), this);
    }

    /// <summary>Keeps the descriptor from being closed and its number from being reused meanwhile.</summary>
    /// <exception cref="ObjectDisposedException">It is closed.</exception>
    public void HoldFile() => _file.DangerousAddRef(ref _holdsFile);

    /// <summary>Hands the kernel the next piece.</summary>
    /// <returns>True where it is over: all is sent, the file has no more, or there is an error.</returns>
    public bool Advance(StreamChannel channel, out IoError error)
    {
        HasBegun = true;
        var mayTakeMore = channel.TrySendFile(_file, _offset + Sent, Math.Min(_count - Sent, MostAtOnce), out var sent, out error);
        Sent += sent;
        return !error.IsNone || Sent == _count || (mayTakeMore && sent == 0);
    }

    /// <summary>What an error that is not the connection's means: before the first byte, that the kernel cannot do it.</summary>
    public Exception? Failure(IoError error)
    {
        if (error.IsNone) return null;
        var text = Marshal.GetPInvokeErrorMessage(error.Errno);
        return Sent == 0
            ? new SendFileNotAvailableException($"The kernel cannot send this file by itself: {text}. The fallback can.")
            : new IOException($"sendfile, after {Sent} bytes: {text}");
    }

    /// <summary>Nothing more will be sent. The transport has forgotten it.</summary>
    public void Complete(Exception? reason)
    {
        _registration.Unregister();
        if (_holdsFile) _file.DangerousRelease();
        _holdsFile = false;
        if (reason is null) _source.TrySetResult();
        else if (reason is OperationCanceledException cancelled) _source.TrySetCanceled(cancelled.CancellationToken);
        else _source.TrySetException(reason);
    }

    /// <summary>The turn of a cancellation that came from another thread.</summary>
    void ILoopWork.Run(int code) => CancelHere();

    private void Cancel()
    {
        var loop = _transport!.Loop;
        if (loop.IsOnThread) CancelHere();
        else loop.TryPost(this, 0);
    }

    private void CancelHere() => _transport!.CancelFile(this, new OperationCanceledException(_cancellation));
}
