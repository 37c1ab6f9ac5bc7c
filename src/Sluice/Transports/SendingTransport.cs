using System.Buffers;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// The sending half of a stream transport: the write queue, its watermarks, and when bytes go to the kernel. The whole,
/// <see cref="StreamTransport"/>, adds life and receiving. Lives on the loop's thread.
/// </summary>
/// <remarks>
/// Every path settles queue and outstanding write first and calls the user last; whatever comes after a call of the user's reads the
/// state anew.
/// </remarks>
internal abstract class SendingTransport : KnowingTransport, IStepFlush
{
    /// <summary>From this size on a write is offered to the kernel at once, from the caller's memory.</summary>
    private const int LargeWrite = 4096;

    /// <summary>How many bytes of a write in parts are gathered before the kernel is offered them.</summary>
    private const int MostGathered = 64 * 1024;

    private protected readonly StreamChannel _channel;
    private protected StreamState _state;
    private bool _flushQueued;
    private int _outstanding;
    private int _reserved;
    private WriteQueue _queue;
    private protected FlowControl _flow;
    private readonly int _maxWriteBufferSize;
    private DroppedWrites _dropped;
    private FileSend? _file;

    private protected SendingTransport(LoopCore loop, StreamChannel channel, int maxWriteBufferSize, int defaultHigh) : base(loop)
    {
        _channel = channel;
        _maxWriteBufferSize = maxWriteBufferSize;
        _flow = new FlowControl(defaultHigh);
    }

    public int WriteBufferSize => _state.IsLost ? 0 : _queue.Count;

    public (int Low, int High) WriteBufferLimits => (_flow.Low, _flow.High);

    IStepFlush? IStepFlush.NextToFlush { get; set; }

    internal bool IsSendingFile => _file is not null;

    /// <summary>Something was accepted that waits for the end of the step.</summary>
    private protected bool AwaitsEndOfStep => _flushQueued;

    /// <summary>What may wait for the end of the step: neither watermark nor limit counts before the kernel was asked.</summary>
    private int MostUnoffered => Math.Min(_flow.High, _maxWriteBufferSize);

    /// <summary>Nothing that was accepted waits any more.</summary>
    private protected bool IsDrained => _queue.IsEmpty;

    public void Write(ReadOnlySpan<byte> data)
    {
        EnterCall();
        if (MayWrite(data.Length)) Accept(data);
    }

    /// <summary>As <see cref="Write(ReadOnlySpan{byte})"/>, for a transport above.</summary>
    internal void WriteFromAbove(ReadOnlySpan<byte> data)
    {
        if (MayWrite(data.Length)) Accept(data);
    }

    public void Write(in ReadOnlySequence<byte> data)
    {
        EnterCall();
        if (!MayWrite(data.IsEmpty ? 0 : 1)) return;
        foreach (var segment in data) Gather(segment.Span);
        EndGathering(data.Length);
    }

    public void WriteLines(IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        EnterCall();
        if (!MayWrite(1)) return;
        var total = 0L;
        try
        {
            foreach (var part in parts)
            {
                _reserved = 0;
                if (!MayWrite(part.Length, count: false)) continue;
                Gather(part.Span);
                total += part.Length;
            }
        }
        finally
        {
            EndGathering(total);
        }
    }

    public virtual void WriteEof()
    {
        EnterCall();
        if (_file is not null) throw FileSend.InProgress();
        if (!_state.TryBeginWriteEof()) return;
        Flush();
        if (_queue.IsEmpty) Drained();
    }

    public void SetWriteBufferLimits(int? high = null, int? low = null)
    {
        EnterCall();
        _flow.SetLimits(high, low);
        if (_queue.Count > _flow.High) Flush();
        if (!_state.IsLost && _flow.TryPause(_queue.Count)) FlowChanged(pause: true);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        EnterCall();
        var memory = MayWrite(1, count: false) ? _queue.Reserve(_loop.Segments, sizeHint) : new byte[Math.Max(sizeHint, SegmentPool.SegmentSize)];
        _reserved = memory.Length;
        FlushLater();
        return memory;
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        _loop.VerifyThread();
        var reserved = _reserved;
        _reserved = 0;
        if (reserved == 0) throw new InvalidOperationException("Nothing is reserved: memory from GetSpan or GetMemory is good until the next call on the transport or the end of the step.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, reserved);
        if (!MayWrite(count)) return;
        _queue.Commit(count);
        if (_outstanding == 0 && (count >= LargeWrite || _queue.Count > MostUnoffered)) Send(default);
        else if (!Overflows(0)) AfterGrowth();
    }

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

    void IStepFlush.FlushStep()
    {
        _flushQueued = false;
        _reserved = 0;
        Flush();
        // Room that was reserved and not used goes back, unless a callback of this very flush has just reserved it.
        if (_queue.IsEmpty && _reserved == 0) _queue.Clear(_loop.Segments);
    }

    /// <summary>Begins every call of the user's that acts: on the right thread, and with nothing lent.</summary>
    private protected void EnterCall()
    {
        VerifyUser();
        DropReservation();
    }

    /// <summary>Memory that was lent is lent no longer.</summary>
    private protected void DropReservation() => _reserved = 0;

    /// <summary>Hands what has been accepted to the kernel now, where no write is outstanding.</summary>
    private protected void Flush()
    {
        if (!_state.IsLost && _outstanding == 0 && !_queue.IsEmpty) Send(default);
    }

    /// <summary>As <see cref="Flush"/>, for an abort: whatever comes of it, nobody hears.</summary>
    private protected void FlushUnheard()
    {
        if (_outstanding == 0 && !_queue.IsEmpty) _channel.TryWrite(_queue.View, default, out _);
    }

    /// <summary>The outstanding write has come back.</summary>
    private protected void AfterWrite(int count, IoError error)
    {
        var offered = _outstanding;
        _outstanding = 0;
        if (_state.IsLost)
        {
            _queue.Clear(_loop.Segments);
            return;
        }

        if (!error.IsNone)
        {
            LoseBroken(error);
            return;
        }

        _queue.Consume(_loop.Segments, count);
        // A short write says that the kernel is full: asking again would be a wasted call.
        if (count < offered || _queue.IsEmpty) AwaitRest();
        else Send(default);
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

    /// <summary>Drops what waits, unless the kernel may still be reading it: then that happens when the write comes back.</summary>
    private protected void DropQueue()
    {
        if (_outstanding == 0) _queue.Clear(_loop.Segments);
    }

    /// <summary>The channel is closed: no write can be outstanding.</summary>
    private protected void DropQueueForGood()
    {
        _outstanding = 0;
        _queue.Clear(_loop.Segments);
    }

    /// <summary>The connection is over; the first reason counts.</summary>
    private protected abstract void Lose(Exception? reason);

    private protected abstract void FlowChanged(bool pause);

    /// <summary>It closes, and everything that was accepted has been taken.</summary>
    private protected virtual void FinishClosing() => Lose(null);

    private protected void LoseBroken(IoError error)
    {
        if (_state.IsLost) return;
        var exception = ToException(error);
        _loop.Errors.LogConnectionError(exception);
        Lose(exception);
    }

    /// <summary>Whether a write of this length goes on. Throws after WriteEof; drops and counts after the loss; ignores empty ones.</summary>
    private bool MayWrite(int length, bool count = true)
    {
        if (_state.IsLost)
        {
            if (count && length > 0) _dropped.Count(_loop.Errors);
            return false;
        }

        if (_state.Writes != WriteSide.Open) throw new InvalidOperationException("Cannot write after WriteEof().");
        if (_file is not null) throw FileSend.InProgress();
        return length > 0;
    }

    private void Accept(ReadOnlySpan<byte> data)
    {
        if (_outstanding == 0 && (data.Length >= LargeWrite || (long)_queue.Count + data.Length > MostUnoffered))
        {
            Send(data);
        }
        else if (!Overflows(data.Length))
        {
            _queue.Append(_loop.Segments, data);
            AfterGrowth();
        }
    }

    /// <summary>
    /// Queues one part of a write. The protocol hears nothing before all parts are in: what it writes then must not come between them.
    /// </summary>
    private void Gather(ReadOnlySpan<byte> part)
    {
        if (_state.IsLost) return;
        if (_outstanding == 0 && (long)_queue.Count + part.Length > Math.Min(MostGathered, _maxWriteBufferSize)) Offer(part);
        else if (!Overflows(part.Length)) _queue.Append(_loop.Segments, part);
    }

    private void EndGathering(long total)
    {
        if (_state.IsLost || total == 0) return;
        if (_queue.IsEmpty) AwaitRest();
        else if (_outstanding == 0 && (total >= LargeWrite || _queue.Count > _flow.High)) Send(default);
        else AfterGrowth();
    }

    private void AfterGrowth()
    {
        if (_outstanding == 0) FlushLater();
        else if (_flow.TryPause(_queue.Count)) FlowChanged(pause: true);
    }

    private void FlushLater()
    {
        if (_flushQueued) return;
        _flushQueued = true;
        _loop.FlushAtEndOfStep(this);
    }

    /// <summary>Offers the queue and the extra bytes to the kernel, and says what came of it.</summary>
    private void Send(ReadOnlySpan<byte> extra)
    {
        if (Offer(extra)) AwaitRest();
    }

    /// <summary>
    /// Offers the queue and the extra bytes to the kernel and leaves to the backend what it does not take. False where that lost the
    /// connection.
    /// </summary>
    private bool Offer(ReadOnlySpan<byte> extra)
    {
        var queued = _queue.Count;
        var taken = _channel.TryWrite(_queue.View, extra, out var error);
        if (!error.IsNone)
        {
            LoseBroken(error);
            return false;
        }

        if (queued > 0) _queue.Consume(_loop.Segments, Math.Min(taken, queued));
        var rest = taken > queued ? extra[(taken - queued)..] : extra;
        if (Overflows(rest.Length)) return false;
        if (!rest.IsEmpty) _queue.Append(_loop.Segments, rest);
        StartWrite();
        return true;
    }

    private void StartWrite()
    {
        if (_queue.IsEmpty || _outstanding != 0) return;
        _outstanding = _queue.Count;
        _channel.StartWrite(_queue.View);
    }

    /// <summary>Leaves the rest of the queue to the backend, then says what that means: drained, above high, or down to low.</summary>
    private void AwaitRest()
    {
        StartWrite();
        if (_queue.IsEmpty) Drained();
        if (_state.IsLost) return;
        if (_flow.TryPause(_queue.Count)) FlowChanged(pause: true);
        else if (!_state.IsClosing && _flow.TryResume(_queue.Count)) FlowChanged(pause: false);
    }

    private void Drained()
    {
        if (_state.Life == Life.Closing) FinishClosing();
        else if (_state.TryEndWriting()) _channel.ShutdownWrite();
        else if (_file is { HasBegun: false } file) SendFile(file);
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

    /// <summary>The last defence against a peer that never reads: more than the hard limit aborts.</summary>
    private bool Overflows(int more)
    {
        if ((long)_queue.Count + more <= _maxWriteBufferSize) return false;
        _state.TryAbort();
        Lose(new WriteBufferLimitException(_maxWriteBufferSize));
        return true;
    }
}
