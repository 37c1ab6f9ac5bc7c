using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// What a stream transport does while it sends a file: one more thing that its sending half can do. The whole, <see cref="StreamTransport"/>, adds life and
/// receiving. Lives on the loop's thread.
/// </summary>
internal abstract class FileSendingTransport : SendingTransport
{
    private protected FileSendingTransport(LoopCore loop, StreamChannel channel, int maxWriteBufferSize, int defaultHigh)
        : base(loop, channel, maxWriteBufferSize, defaultHigh)
    {
    }

    internal bool IsSendingFile => _file is not null;

    /// <inheritdoc cref="ISendsFiles.StartFile"/>
    internal void StartFile(FileSend file, CancellationToken cancellation)
    {
        EnterCall();
        if (_state.IsClosing) throw new InvalidOperationException("The transport is closing.");
        MayWrite(0);
        file.HoldFile();
        _file = file;
        HoldReading();
        file.Begin(this, cancellation);
        if (_file != file) return;
        if (_queue.IsEmpty) SendFile(file);
        else Flush();
    }

    /// <summary>Gives up a file, if it is still under way: nothing more of it is sent.</summary>
    internal void CancelFile(FileSend file, OperationCanceledException reason)
    {
        if (_file == file) EndFile(file, reason);
    }

    /// <summary>The kernel has room for more of the file that waits for it, or will never have any.</summary>
    private protected void AfterRoom(IoError error)
    {
        if (_file is not { } file) return;
        if (error.IsNone) SendFile(file);
        else LoseBroken(error);
    }

    /// <summary>The connection ends, or is asked to: so does a file under way.</summary>
    private protected void InterruptFile(Exception? reason)
    {
        if (_file is { } file) EndFile(file, FileSend.Interrupted(reason));
    }

    /// <summary>While a file is sent nothing is read, unless the user wants it.</summary>
    private protected abstract void HoldReading();

    private protected abstract void ReleaseReading();

    private protected override void BeginFile()
    {
        if (_file is { HasBegun: false } file) SendFile(file);
    }

    private void SendFile(FileSend file)
    {
        if (!file.Advance(_channel, out var error)) _channel.AwaitRoom();
        else if (error.EndsConnection) LoseBroken(error);
        else EndFile(file, file.Failure(error));
    }

    private void EndFile(FileSend file, Exception? reason)
    {
        _file = null;
        _channel.StopAwaitingRoom();
        ReleaseReading();
        file.Complete(reason);
    }
}
