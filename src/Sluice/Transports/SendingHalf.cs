using System.Buffers;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// The sending half of a stream transport: the write queue, its watermarks, and when bytes go to the kernel. A struct inside its <see cref="StreamTransport"/>, which
/// checks the thread before it passes on a call of the user's.
/// </summary>
/// <remarks>
/// Every path settles queue and outstanding write first and calls the user last; whatever comes after a call of the user's reads the state anew. What it asks of its
/// transport is state, channel, loop and whether a file is under way, and four things that a half cannot decide alone: <see cref="StreamTransport.OnDrained"/>,
/// <see cref="StreamTransport.CallFlowChanged"/>, <see cref="StreamTransport.Lose"/> and <see cref="StreamTransport.LoseBroken"/>.
/// </remarks>
internal struct SendingHalf
{
    /// <summary>From this size on a write is offered to the kernel at once, from the caller's memory.</summary>
    private const int LargeWrite = 4096;

    /// <summary>How many bytes of a write in parts are gathered before the kernel is offered them.</summary>
    private const int MostGathered = 64 * 1024;

    /// <summary>How many writes to a lost connection are dropped before there is a warning.</summary>
    private const int SilentlyDroppedWrites = 4;

    private readonly StreamTransport _transport;
    private readonly int _maxWriteBufferSize;
    private WriteQueue _queue;
    private FlowControl _flow;
    private int _outstanding;
    private int _reserved;
    private byte _droppedWrites;
    private bool _flushQueued;

    public SendingHalf(StreamTransport transport, int maxWriteBufferSize, int defaultHigh, bool isPaused)
    {
        _transport = transport;
        _maxWriteBufferSize = maxWriteBufferSize;
        _flow = new FlowControl(defaultHigh);
        if (isPaused) _flow.InheritPause();
    }

    public readonly int Size => _queue.Count;

    public readonly (int Low, int High) Limits => (_flow.Low, _flow.High);

    /// <summary>The protocol has been told to pause writing, and not yet to resume.</summary>
    public readonly bool IsPaused => _flow.IsPaused;

    /// <summary>Nothing that was accepted waits any more.</summary>
    public readonly bool IsDrained => _queue.IsEmpty;

    /// <summary>What may wait for the end of the step: neither watermark nor limit counts before the kernel was asked.</summary>
    private readonly int MostUnoffered => Math.Min(_flow.High, Most);

    /// <summary>How much may wait: less while the process has more waiting than it may.</summary>
    private readonly int Most => _transport.Loop.Segments.IsOverBudget ? Math.Min(WriteBudget.MostOfOne, _maxWriteBufferSize) : _maxWriteBufferSize;

    public void Write(ReadOnlySpan<byte> data)
    {
        if (!MayWrite(data.Length)) return;
        if (_outstanding == 0 && (data.Length >= LargeWrite || (long)_queue.Count + data.Length > MostUnoffered))
        {
            Send(data);
        }
        else if (!Overflows(data.Length))
        {
            _queue.Append(_transport.Loop.Segments, data);
            AfterGrowth();
        }
    }

    public void Write(in ReadOnlySequence<byte> data)
    {
        if (!MayWrite(data.IsEmpty ? 0 : 1)) return;
        foreach (var segment in data) Gather(segment.Span);
        EndGathering(data.Length);
    }

    public void WriteLines(IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        if (!MayWrite(1)) return;
        var total = 0L;
        try
        {
            foreach (var part in parts)
            {
                DropReservation();
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

    public void SetLimits(int? high, int? low)
    {
        _flow.SetLimits(high, low);
        if (_queue.Count > _flow.High) Flush();
        if (!_transport.State.IsLost && _flow.TryPause(_queue.Count)) _transport.CallFlowChanged(pause: true);
    }

    /// <summary>Lends memory at the end of the queue until the next call of the user's or the end of the step.</summary>
    public Memory<byte> Reserve(int sizeHint)
    {
        var memory = MayWrite(1, count: false) ? _queue.Reserve(_transport.Loop.Segments, sizeHint) : new byte[Math.Max(sizeHint, SegmentPool.SegmentSize)];
        _reserved = memory.Length;
        FlushLater();
        return memory;
    }

    /// <summary>Makes so much of what was lent a write.</summary>
    public void Commit(int count)
    {
        var reserved = _reserved;
        _reserved = 0;
        if (reserved == 0) throw new InvalidOperationException("Nothing is reserved: memory from GetSpan or GetMemory is good until the next call on the transport or the end of the step.");
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, reserved);
        if (!MayWrite(count)) return;
        _queue.Commit(_transport.Loop.Segments, count);
        if (_outstanding == 0 && (count >= LargeWrite || _queue.Count > MostUnoffered)) Send(default);
        else if (!Overflows(0)) AfterGrowth();
    }

    /// <summary>Memory that was lent is lent no longer.</summary>
    public void DropReservation() => _reserved = 0;

    /// <summary>Ends the stream behind what was written before.</summary>
    public void End()
    {
        if (_transport.File is not null) throw FileSend.InProgress();
        if (!_transport.State.TryBeginWriteEof()) return;
        Flush();
        if (_queue.IsEmpty) _transport.OnDrained();
    }

    /// <summary>Throws where something forbids to write now.</summary>
    public void CheckOpen() => MayWrite(0);

    /// <summary>Hands what has been accepted to the kernel now, where no write is outstanding.</summary>
    public void Flush()
    {
        if (!_transport.State.IsLost && _outstanding == 0 && !_queue.IsEmpty) Send(default);
    }

    /// <summary>As <see cref="Flush"/>, for an abort: whatever comes of it, nobody hears.</summary>
    public readonly void FlushUnheard()
    {
        if (_outstanding == 0 && !_queue.IsEmpty) _transport.Channel.TryWrite(_queue.View, default, out _);
    }

    /// <summary>The step has ended that something waited for.</summary>
    public void OnEndOfStep()
    {
        _flushQueued = false;
        _reserved = 0;
        Flush();
        // Room that was reserved and not used goes back, unless a callback of this very flush has just reserved it.
        if (_reserved == 0) _queue.EndLoan(_transport.Loop.Segments);
    }

    public void OnWritten(int count, IoError error)
    {
        var offered = _outstanding;
        _outstanding = 0;
        if (_transport.State.IsLost) Drop();
        else if (!error.IsNone) _transport.LoseBroken(error);
        else GoOn(count, offered);
        _transport.Loop.EndStep();
    }

    /// <summary>A pause that the transport before had told of ends: its queue was handed on before this one began.</summary>
    public void ResumeInherited()
    {
        if (_flow.IsPaused && _transport.State.Life == Life.Open && _queue.IsEmpty && _flow.TryResume(0)) _transport.CallFlowChanged(pause: false);
    }

    /// <summary>Drops what waits, unless the kernel may still be reading it: then that happens when the write comes back.</summary>
    public void Drop()
    {
        if (_outstanding == 0) _queue.Clear(_transport.Loop.Segments);
    }

    /// <summary>The channel is closed: no write can be outstanding.</summary>
    public void DropForGood()
    {
        _outstanding = 0;
        _queue.Clear(_transport.Loop.Segments);
    }

    /// <summary>The kernel has taken so much of what it was offered.</summary>
    private void GoOn(int taken, int offered)
    {
        if (taken > 0) _transport.Limits.NoteWritten(_transport.Loop);
        _queue.Consume(_transport.Loop.Segments, taken);
        // A short write says that the kernel is full: asking again would be a wasted call.
        if (taken < offered || _queue.IsEmpty) AwaitRest();
        else Send(default);
    }

    /// <summary>Whether a write of this length goes on. Throws after WriteEof; drops and counts after the loss; ignores empty ones.</summary>
    private bool MayWrite(int length, bool count = true)
    {
        if (_transport.State.IsLost)
        {
            if (count && length > 0 && _droppedWrites <= SilentlyDroppedWrites && ++_droppedWrites > SilentlyDroppedWrites) _transport.Loop.Errors.LogDroppedWrite();
            return false;
        }

        if (_transport.State.Writes != WriteSide.Open) throw new InvalidOperationException("Cannot write after WriteEof().");
        if (_transport.File is not null) throw FileSend.InProgress();
        return length > 0;
    }

    /// <summary>
    /// Queues one part of a write. The protocol hears nothing before all parts are in: what it writes then must not come between them.
    /// </summary>
    private void Gather(ReadOnlySpan<byte> part)
    {
        if (_transport.State.IsLost) return;
        if (_outstanding == 0 && (long)_queue.Count + part.Length > Math.Min(MostGathered, Most)) Offer(part);
        else if (!Overflows(part.Length)) _queue.Append(_transport.Loop.Segments, part);
    }

    private void EndGathering(long total)
    {
        if (_transport.State.IsLost || total == 0) return;
        if (_queue.IsEmpty) AwaitRest();
        else if (_outstanding == 0 && (total >= LargeWrite || _queue.Count > _flow.High)) Send(default);
        else AfterGrowth();
    }

    private void AfterGrowth()
    {
        if (_outstanding == 0) FlushLater();
        else if (_flow.TryPause(_queue.Count)) _transport.CallFlowChanged(pause: true);
    }

    private void FlushLater()
    {
        if (_flushQueued) return;
        _flushQueued = true;
        _transport.Loop.FlushAtEndOfStep(_transport);
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
        var taken = _transport.Channel.TryWrite(_queue.View, extra, out var error);
        if (!error.IsNone)
        {
            _transport.LoseBroken(error);
            return false;
        }

        if (taken > 0) _transport.Limits.NoteWritten(_transport.Loop);
        if (queued > 0) _queue.Consume(_transport.Loop.Segments, Math.Min(taken, queued));
        var rest = taken > queued ? extra[(taken - queued)..] : extra;
        if (Overflows(rest.Length)) return false;
        if (!rest.IsEmpty) _queue.Append(_transport.Loop.Segments, rest);
        StartWrite();
        return true;
    }

    private void StartWrite()
    {
        if (_queue.IsEmpty || _outstanding != 0) return;
        _outstanding = _queue.Count;
        _transport.Channel.StartWrite(_queue.View);
    }

    /// <summary>Leaves the rest of the queue to the backend, then says what that means: drained, above high, or down to low.</summary>
    private void AwaitRest()
    {
        StartWrite();
        if (_queue.IsEmpty) _transport.OnDrained();
        if (_transport.State.IsLost) return;
        if (_flow.TryPause(_queue.Count)) _transport.CallFlowChanged(pause: true);
        else if (!_transport.State.IsClosing && _flow.TryResume(_queue.Count)) _transport.CallFlowChanged(pause: false);
    }

    /// <summary>The last defence against a peer that never reads: more than the hard limit aborts.</summary>
    private bool Overflows(int more)
    {
        var most = Most;
        if ((long)_queue.Count + more <= most) return false;
        _transport.State.TryAbort();
        _transport.Lose(most == _maxWriteBufferSize ? new WriteBufferLimitException(most) : WriteBufferLimitException.OverBudget(most, _transport.Loop.Segments.Budget));
        return true;
    }
}
