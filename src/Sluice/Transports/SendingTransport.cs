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

    /// <summary>How many writes to a lost connection stay unremarked.</summary>
    private const int SilentlyDroppedWrites = 4;

    private protected readonly StreamChannel _channel;
    private protected readonly LoopCore _loop;
    private protected StreamState _state;
    private bool _flushQueued;
    private int _outstanding;
    private int _reserved;
    private protected WriteQueue _queue;
    private protected FlowControl _flow;
    private protected ITransport? _above;
    private readonly int _maxWriteBufferSize;
    private int _droppedWrites;
    private protected FileSend? _file;

    private protected SendingTransport(LoopCore loop, StreamChannel channel, int maxWriteBufferSize, int defaultHigh)
    {
        _loop = loop;
        _channel = channel;
        _maxWriteBufferSize = maxWriteBufferSize;
        _flow = new FlowControl(defaultHigh);
    }

    public int WriteBufferSize => _state.IsLost ? 0 : _queue.Count;

    public (int Low, int High) WriteBufferLimits => (_flow.Low, _flow.High);

    IStepFlush? IStepFlush.NextToFlush { get; set; }

    internal LoopCore Loop => _loop;

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
        _loop.VerifyThread();
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
        _queue.Commit(_loop.Segments, count);
        if (_outstanding == 0 && (count >= LargeWrite || _queue.Count > MostUnoffered)) Send(default);
        else if (!Overflows(0)) AfterGrowth();
    }

    void IStepFlush.FlushStep()
    {
        _flushQueued = false;
        _reserved = 0;
        Flush();
        // Room that was reserved and not used goes back, unless a callback of this very flush has just reserved it.
        if (_reserved == 0) _queue.EndLoan(_loop.Segments);
    }

    /// <summary>Begins every call of the user's that acts: on the right thread, and with nothing lent.</summary>
    private protected void EnterCall()
    {
        _loop.VerifyThread();
        if (_above is not null) ThrowBelow();
        DropReservation();
    }

    private void ThrowBelow() => throw new InvalidOperationException(
        $"This transport carries a TLS connection now ({_above}): use the transport that StartTlsAsync has returned.");

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

    /// <summary>What was written before it has left: a file that waits for that begins.</summary>
    private protected abstract void BeginFile();

    /// <summary>It closes, and everything that was accepted has been taken.</summary>
    private protected virtual void FinishClosing() => Lose(null);

    /// <summary>The exception that users see.</summary>
    private protected virtual Exception ToException(IoError error) => error.ToException();

    private protected void LoseBroken(IoError error)
    {
        if (_state.IsLost) return;
        var exception = ToException(error);
        _loop.Errors.LogConnectionError(exception);
        Lose(exception);
    }

    /// <summary>Whether a write of this length goes on. Throws after WriteEof; drops and counts after the loss; ignores empty ones.</summary>
    private protected bool MayWrite(int length, bool count = true)
    {
        if (_state.IsLost)
        {
            if (count && length > 0 && ++_droppedWrites == SilentlyDroppedWrites + 1) _loop.Errors.LogDroppedWrite();
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
        else BeginFile();
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
