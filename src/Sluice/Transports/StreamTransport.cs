using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// A duplex stream with asyncio's semantics over any backend's channel. Holds the state machine, the write queue, the flow control and
/// the protocol's binding as structs: with its channel and descriptor these are all the objects of a connection. Lives on the loop's
/// thread.
/// </summary>
/// <remarks>
/// Every path settles the state first and calls the user last; whatever comes after a call of the user's reads the state anew, because
/// the user may have closed, aborted, paused, written or exchanged the protocol meanwhile.
/// </remarks>
internal abstract class StreamTransport : ITransport, IStreamSink, IStepFlush, ILoopWork
{
    /// <summary>From this size on a write is offered to the kernel at once, from the caller's memory.</summary>
    private const int LargeWrite = 4096;

    /// <summary>How many bytes of a write in parts are gathered before the kernel is offered them.</summary>
    private const int MostGathered = 64 * 1024;

    /// <summary>How many writes to a lost connection stay unremarked.</summary>
    private const int SilentlyDroppedWrites = 4;

    private readonly LoopCore _loop;
    private readonly StreamChannel _channel;
    private StreamState _state;
    private bool _flushQueued;
    private bool _readTurnQueued;
    private int _outstanding;
    private int _reserved;
    private WriteQueue _queue;
    private ProtocolBinding _binding;
    private FlowControl _flow = new();
    private ReadStash? _stash;
    private IStartWaiter? _waiter;
    private Exception? _lostReason;
    private readonly int _maxWriteBufferSize;
    private int _droppedWrites;

    protected StreamTransport(LoopCore loop, StreamChannel channel, IProtocol<ITransport> protocol, in TransportOrigin origin)
    {
        _loop = loop;
        _channel = channel;
        _maxWriteBufferSize = origin.Options.MaxWriteBufferSize;
        _waiter = origin.Waiter;
        _binding = new ProtocolBinding(loop, origin.Context);
        _binding.Bind(this, protocol.Instance);
        channel.AsksForTarget = _binding.Buffered is not null;
        channel.Attach(this);
        loop.OpenChannels++;
        origin.Set.Add(this);
        loop.Enqueue(this, Turn.Start);
    }

    /// <summary>Its place in the set of its server or loop.</summary>
    internal ConnectionSet.Link Membership;

    public bool IsClosing => _state.IsClosing;

    public bool IsReading => _state.IsReading;

    public BaseProtocol? Protocol => _binding.Protocol;

    public bool CanWriteEof => true;

    public int WriteBufferSize => _state.IsLost ? 0 : _queue.Count;

    public (int Low, int High) WriteBufferLimits => (_flow.Low, _flow.High);

    IStepFlush? IStepFlush.NextToFlush { get; set; }

    /// <summary>What the backend knows of the connection.</summary>
    internal StreamChannel Channel => _channel;

    public void Close()
    {
        EnterCall();
        if (_state.Life == Life.Opening) Abandon(reset: false);
        if (!_state.TryClose()) return;
        _channel.StopReading();
        Flush();
        if (_state.Life != Life.Closing) return;
        if (_queue.IsEmpty) Lose(null);
        else if (_state.Reads != ReadSide.Ended && _stash?.End is null) _channel.StartReading();
    }

    public void Abort()
    {
        EnterCall();
        if (_state.Life == Life.Opening) Abandon(reset: true);
        if (!_state.TryAbort()) return;
        if (_outstanding == 0 && !_queue.IsEmpty) _channel.TryWrite(_queue.View, default, out _);
        Lose(null);
    }

    public void PauseReading()
    {
        EnterCall();
        if (_state.TryPause()) _channel.StopReading();
    }

    public void ResumeReading()
    {
        EnterCall();
        if (!_state.TryResume() || _readTurnQueued) return;
        _readTurnQueued = true;
        _loop.Enqueue(this, Turn.Read);
    }

    public void Write(ReadOnlySpan<byte> data)
    {
        EnterCall();
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

    public void WriteEof()
    {
        EnterCall();
        if (!_state.TryBeginWriteEof()) return;
        Flush();
        if (_queue.IsEmpty) Drained();
    }

    public void SetWriteBufferLimits(int? high = null, int? low = null)
    {
        EnterCall();
        _flow.SetLimits(high, low);
        if (_queue.Count > _flow.High) Flush();
        if (!_state.IsLost && _flow.TryPause(_queue.Count)) _binding.FlowChanged(this, pause: true);
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

    public void SetProtocol(IProtocol<ITransport> protocol) => Exchange(protocol?.Instance);

    void IReadTransport.SetProtocol(IProtocol<IReadTransport> protocol) => Exchange(protocol?.Instance);

    void IWriteTransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    void ITransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (FindExtraInfo(key.Name) is T found)
        {
            value = found;
            return true;
        }

        value = default;
        return false;
    }

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => TryGetExtraInfo(key, out var value) ? value : null;

    public object? GetExtraInfo(string name, object? defaultValue = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return FindExtraInfo(name) ?? defaultValue;
    }

    public override string ToString() => $"<{GetType().Name} {_state.Life} {DescribeEnds()}>";

    /// <summary>At the loop's end: what is open is aborted, what is closing may go on for a while, what was never made goes.</summary>
    internal void EndWithLoop()
    {
        if (_state.Life == Life.Opening) Abandon(reset: true);
        if (_state.Life != Life.Open) return;
        if (_loop.Debug) _loop.Errors.LogNeverClosed(this);
        Abort();
    }

    /// <summary>Before ConnectionMade: goes without a callback.</summary>
    internal void Abandon(bool reset = true)
    {
        if (!_state.TryAbandon()) return;
        _waiter = null;
        Release(reset);
    }

    void IStreamSink.OnRead(ReadOnlySpan<byte> data)
    {
        if (_state.IsReading && _stash is null) Deliver(data);
        else if (_state.IsReading || _state.IsPaused) (_stash ??= new ReadStash(_loop.Segments)).Append(data);
        _loop.EndStep();
    }

    Memory<byte> IStreamSink.ReadTarget()
    {
        while (_state.IsReading && _stash is null && _binding.Buffered is { } asked)
        {
            if (_binding.GetBuffer(-1, out var buffer) is { } exception) Fail(exception, "GetBuffer");
            // The kernel may have nothing to read after all: what GetBuffer wrote must not wait for bytes that do not come.
            if (_flushQueued) _loop.EndStep();
            if (_state.IsReading && ReferenceEquals(asked, _binding.Buffered)) return buffer;
        }

        return default;
    }

    void IStreamSink.OnReadInto(int count)
    {
        if (_state.IsReading && _binding.BufferUpdated(count) is { } exception) Fail(exception, "BufferUpdated");
        _loop.EndStep();
    }

    void IStreamSink.OnReadEnd(IoError reason)
    {
        if (_state.IsPaused || (_state.IsReading && _stash is not null)) (_stash ??= new ReadStash(_loop.Segments)).End = reason;
        else EndReading(reason);
        _loop.EndStep();
    }

    void IStreamSink.OnWritten(int count, IoError error)
    {
        var offered = _outstanding;
        _outstanding = 0;
        if (_state.IsLost)
        {
            _queue.Clear(_loop.Segments);
        }
        else if (!error.IsNone)
        {
            LoseBroken(error);
        }
        else
        {
            _queue.Consume(_loop.Segments, count);
            // A short write says that the kernel is full: asking again would be a wasted call.
            if (count < offered || _queue.IsEmpty) AwaitRest();
            else Send(default);
        }

        _loop.EndStep();
    }

    void IStreamSink.OnClosed()
    {
        _outstanding = 0;
        _queue.Clear(_loop.Segments);
        if (_state.TryRelease()) _loop.OpenChannels--;
    }

    void IStepFlush.FlushStep()
    {
        _flushQueued = false;
        _reserved = 0;
        Flush();
        // Room that was reserved and not used goes back.
        if (_queue.IsEmpty) _queue.Clear(_loop.Segments);
    }

    void ILoopWork.Run(int code)
    {
        switch (code)
        {
            case Turn.Start:
                Start();
                break;
            case Turn.Read:
                ContinueReading();
                break;
            case Turn.Lost:
                _binding.ConnectionLost(this, _lostReason);
                Release(_state.IsReset);
                break;
        }
    }

    /// <summary>A fact by asyncio's name, or null.</summary>
    protected abstract object? FindExtraInfo(string name);

    /// <summary>The two ends, for ToString.</summary>
    protected abstract string DescribeEnds();

    private void Start()
    {
        if (!_state.TryOpen()) return;
        _readTurnQueued = true;
        _binding.ConnectionMade(this);
        var waiter = _waiter;
        _waiter = null;
        waiter?.OnStarted(this);
        _loop.Enqueue(this, Turn.Read);
    }

    private void ContinueReading()
    {
        _readTurnQueued = false;
        while (_state.IsReading && _stash is { HasData: true } stash)
        {
            var segment = stash.TakeFirst();
            Deliver(segment.Span);
            stash.Return(segment);
        }

        if (!_state.IsReading) return;
        if (_stash is not { } emptied)
        {
            _channel.StartReading();
            return;
        }

        _stash = null;
        if (emptied.End is { } end) EndReading(end);
        else _channel.StartReading();
    }

    /// <summary>Hands bytes to the protocol, in rounds where it owns the buffer. What a pause in between leaves goes to the stash.</summary>
    private void Deliver(ReadOnlySpan<byte> data)
    {
        while (_state.IsReading && _binding.Buffered is { } asked)
        {
            if (_binding.GetBuffer(data.Length, out var buffer) is { } refused)
            {
                Fail(refused, "GetBuffer");
                return;
            }

            if (!_state.IsReading || !ReferenceEquals(asked, _binding.Buffered)) continue;
            var taken = Math.Min(data.Length, buffer.Length);
            data[..taken].CopyTo(buffer.Span);
            data = data[taken..];
            if (_binding.BufferUpdated(taken) is { } failed)
            {
                Fail(failed, "BufferUpdated");
                return;
            }

            if (data.IsEmpty) return;
        }

        if (_state.IsReading)
        {
            if (_binding.DataReceived(data) is { } exception) Fail(exception, "DataReceived");
        }
        else if (_state.IsPaused)
        {
            (_stash ??= new ReadStash(_loop.Segments)).PutBack(data);
        }
    }

    private void EndReading(IoError reason)
    {
        if (!reason.IsNone)
        {
            if (!_state.IsLost) LoseBroken(reason);
            return;
        }

        if (!_state.TryEndReading()) return;
        if (_binding.EofReceived(out var keepOpen) is { } exception) Fail(exception, "EofReceived");
        else if (!keepOpen && !_state.IsClosing) Close();
    }

    /// <summary>What may wait for the end of the step: neither watermark nor limit counts before the kernel was asked.</summary>
    private int MostUnoffered => Math.Min(_flow.High, _maxWriteBufferSize);

    private void EnterCall()
    {
        _loop.VerifyThread();
        _reserved = 0;
    }

    /// <summary>Whether a write of this length goes on. Throws after WriteEof; drops and counts after the loss; ignores empty ones.</summary>
    private bool MayWrite(int length, bool count = true)
    {
        if (_state.IsLost)
        {
            if (count) DropWrite(length);
            return false;
        }

        if (_state.Writes != WriteSide.Open) throw new InvalidOperationException("Cannot write after WriteEof().");
        return length > 0;
    }

    private void DropWrite(int length)
    {
        if (length > 0 && ++_droppedWrites == SilentlyDroppedWrites + 1) _loop.Errors.LogDroppedWrite();
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
        else if (_flow.TryPause(_queue.Count)) _binding.FlowChanged(this, pause: true);
    }

    private void FlushLater()
    {
        if (_flushQueued) return;
        _flushQueued = true;
        _loop.FlushAtEndOfStep(this);
    }

    private void Flush()
    {
        if (!_state.IsLost && _outstanding == 0 && !_queue.IsEmpty) Send(default);
    }

    /// <summary>Offers the queue and the extra bytes to the kernel, and says what came of it.</summary>
    private void Send(ReadOnlySpan<byte> extra)
    {
        if (Offer(extra)) AwaitRest();
    }

    /// <summary>Offers the queue and the extra bytes to the kernel and leaves to the backend what it does not take. False where that lost the connection.</summary>
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
        if (_flow.TryPause(_queue.Count)) _binding.FlowChanged(this, pause: true);
        else if (!_state.IsClosing && _flow.TryResume(_queue.Count)) _binding.FlowChanged(this, pause: false);
    }

    private void Drained()
    {
        if (_state.Life == Life.Closing) Lose(null);
        else if (_state.TryEndWriting()) _channel.ShutdownWrite();
    }

    /// <summary>The last defence against a peer that never reads: more than the hard limit aborts.</summary>
    private bool Overflows(int more)
    {
        if ((long)_queue.Count + more <= _maxWriteBufferSize) return false;
        _state.TryAbort();
        Lose(new WriteBufferLimitException(_maxWriteBufferSize));
        return true;
    }

    /// <summary>A callback threw: what it had written leaves first, then the handler hears of it, then the connection is reset.</summary>
    private void Fail(Exception exception, string callback)
    {
        _reserved = 0;
        Flush();
        _binding.Report($"Fatal error: protocol.{callback}() call failed.", exception, this);
        _state.TryAbort();
        Lose(exception);
    }

    private void LoseBroken(IoError error)
    {
        var exception = error.ToException();
        _loop.Errors.LogConnectionError(exception);
        Lose(exception);
    }

    private void Lose(Exception? reason)
    {
        if (!_state.TryLose()) return;
        _lostReason = reason;
        _channel.StopReading();
        _stash?.Clear();
        _stash = null;
        if (_outstanding == 0) _queue.Clear(_loop.Segments);
        _loop.Enqueue(this, Turn.Lost);
    }

    private void Release(bool reset)
    {
        _binding.Release();
        ConnectionSet.Remove(this);
        _channel.Close(reset);
    }

    private void Exchange(BaseProtocol? protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        EnterCall();
        if (protocol is WriteProtocol)
        {
            throw new ArgumentException("A WriteProtocol cannot serve a duplex transport: it has no way to receive what arrives.", nameof(protocol));
        }

        Flush();
        if (_binding.Protocol is null) return;
        _binding.Bind(this, protocol);
        _channel.AsksForTarget = _binding.Buffered is not null;
    }

    /// <summary>The kinds of turn that a transport queues for itself.</summary>
    private static class Turn
    {
        public const int Start = 0;
        public const int Read = 1;
        public const int Lost = 2;
    }
}
