using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// A stream with asyncio's semantics over any backend's channel: its life, its receiving half, and whom it calls. State machine,
/// write queue, flow control and binding are structs in it: transport, channel and descriptor are all the objects of a connection.
/// Lives on the loop's thread.
/// </summary>
/// <remarks>
/// What its user may call is what the interface of the class above says: <see cref="SocketTransport"/> both ways,
/// <see cref="ReadPipeTransport"/> and <see cref="WritePipeTransport"/> one way. Every path settles the state first and calls the user last; whatever comes after a call of the user's reads the state anew, because
/// the user may have closed, aborted, paused, written or exchanged the protocol meanwhile.
/// </remarks>
internal abstract class StreamTransport : StartingTransport, IBaseTransport, IStreamSink, ILoopWork, ILoopTransport
{
    private ProtocolBinding _binding;
    private bool _readTurnQueued;
    private bool _isReadingHeld;
    private ReadStash? _stash;
    private bool _drainsWhenMade;
    private Exception? _lostReason;

    protected StreamTransport(
        LoopCore loop, StreamChannel channel, BaseProtocol protocol, in TransportOrigin origin, int defaultHigh = FlowControl.DefaultHigh)
        : base(loop, channel, origin, defaultHigh)
    {
        _binding = new ProtocolBinding(loop, origin.Context);
        _binding.Bind(this, protocol);
        channel.AsksForTarget = _binding.Buffered is not null;
        channel.Attach(this);
        loop.OpenChannels++;
        origin.Set.Add(this);
        if (origin.Birth == Birth.AtOnce) loop.Enqueue(this, Turn.Start);
    }

    /// <summary>Its place in the set of its server or loop.</summary>
    internal ConnectionSet.Link Membership;

    // What carries another transport answers for that one: its users may still hold it.
    public virtual bool IsClosing => _above?.IsClosing ?? _state.IsClosing;

    public bool IsReading => _above?.IsReading ?? _state.IsReading;

    public BaseProtocol? Protocol => _above is null ? _binding.Protocol : _above.Protocol;

    nint ILoopTransport.Handle => _channel.Handle;

    /// <summary>What the backend knows of the connection.</summary>
    internal StreamChannel Channel => _channel;

    /// <summary>Once it carries another transport, that one is closed.</summary>
    public void Close()
    {
        _loop.VerifyThread();
        if (_above is null) CloseFromAbove();
        else _above.Close();
    }

    internal void CloseFromAbove()
    {
        DropReservation();
        if (_state.Life == Life.Opening) Abandon(reset: false);
        if (!_state.TryClose()) return;
        InterruptFile(null);
        _channel.StopReading();
        BeginClosing();
        Flush();
        if (_state.Life != Life.Closing) return;
        if (IsDrained) FinishClosing();
        else if (_state.Reads != ReadSide.Ended && _stash?.End is null) _channel.StartReading();
    }

    public void Abort()
    {
        _loop.VerifyThread();
        if (_above is null) AbortFromAbove();
        else _above.Abort();
    }

    internal void AbortFromAbove()
    {
        DropReservation();
        if (_state.Life == Life.Opening) Abandon(reset: true);
        if (!_state.TryAbort()) return;
        FlushUnheard();
        Lose(null);
    }

    public void PauseReading()
    {
        EnterCall();
        PauseReadingFromAbove();
    }

    internal void PauseReadingFromAbove()
    {
        _isReadingHeld = false;
        if (_state.TryPause()) _channel.StopReading();
    }

    public void ResumeReading()
    {
        EnterCall();
        ResumeReadingFromAbove();
    }

    internal void ResumeReadingFromAbove()
    {
        _isReadingHeld = false;
        if (!_state.TryResume() || _readTurnQueued) return;
        _readTurnQueued = true;
        _loop.Enqueue(this, Turn.Read);
    }

    public override string ToString() => $"<{GetType().Name} {_state.Life} {DescribeEnds()}>";

    /// <summary>The ExecutionContext of its callbacks; null is the default one.</summary>
    internal ExecutionContext? Context => _binding.Context;

    /// <summary>Bytes have arrived that nobody has had yet.</summary>
    internal bool HasUnread => _stash is { HasData: true };

    /// <summary>From now on it carries another transport, which takes its place among the connections of its owner.</summary>
    internal void PutBelow(ITransport above)
    {
        _above = above;
        ConnectionSet.Remove(this);
    }

    /// <summary>It has ended; perhaps ConnectionLost is still to come.</summary>
    internal bool IsLost => _state.IsLost;

    /// <summary>Its server drains: the protocol hears of it in a turn of its own, which comes behind that of ConnectionMade.</summary>
    internal void RequestDrain() => _loop.Enqueue(this, Turn.Drain);

    /// <summary>At the loop's end: what is open is aborted, what is closing may go on for a while, what was never made goes.</summary>
    void ILoopTransport.EndWithLoop()
    {
        if (_state.Life == Life.Opening) Abandon(reset: true);
        if (_state.Life != Life.Open) return;
        if (_loop.Debug) _loop.Errors.LogNeverClosed(this);
        Abort();
    }

    internal override void Abandon(bool reset)
    {
        if (_state.TryAbandon()) Release(reset);
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
            if (AwaitsEndOfStep) _loop.EndStep();
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
        AfterWrite(count, error);
        _loop.EndStep();
    }

    void IStreamSink.OnRoom(IoError error)
    {
        AfterRoom(error);
        _loop.EndStep();
    }

    void IStreamSink.OnClosed()
    {
        DropQueueForGood();
        if (_state.TryRelease()) _loop.OpenChannels--;
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
            case Turn.Drain:
                if (_state.Life == Life.Open) _binding.DrainRequested(this);
                else if (_state.Life == Life.Opening) _drainsWhenMade = true;
                break;
            case Turn.Lost:
                _binding.ConnectionLost(this, _lostReason);
                Release(_state.IsReset);
                break;
        }
    }

    /// <summary>Calls ConnectionMade with the interface that the protocol was written for.</summary>
    private protected abstract void CallConnectionMade(in ProtocolBinding binding);

    /// <summary>The two ends, for ToString.</summary>
    protected abstract string DescribeEnds();

    private protected override void Start()
    {
        if (!_state.TryOpen()) return;
        _readTurnQueued = true;
        CallConnectionMade(_binding);
        StartReading();
        if (_drainsWhenMade) RequestDrain();
    }

    private protected override void StartReading()
    {
        _readTurnQueued = true;
        TellStarted(this);
        _loop.Enqueue(this, Turn.Read);
    }

    private void ContinueReading()
    {
        _readTurnQueued = false;
        ResumeInherited();
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

    /// <summary>The read end, when nothing before it waits any more.</summary>
    private protected virtual void EndReading(IoError reason)
    {
        if (!reason.IsNone) LoseBroken(reason);
        else if (_state.TryEndReading() && TellEnd(out var keepOpen) && !keepOpen && !_state.IsClosing) Close();
    }

    /// <summary>Tells the protocol that nothing more will come. False where it threw; that has ended the connection.</summary>
    private protected bool TellEnd(out bool keepOpen)
    {
        if (_binding.EofReceived(out keepOpen) is not { } exception) return true;
        Fail(exception, "EofReceived");
        return false;
    }

    /// <summary>An error of the system ends the connection, and the handler is to hear of it: it can change nothing about that.</summary>
    private protected void LoseReported(string message, Exception exception)
    {
        if (_state.IsLost) return;
        _lostReason ??= exception;
        _binding.Report(message, exception, this);
        Lose(exception);
    }

    /// <summary>
    /// A callback threw: what it had written leaves first, then the handler hears of it, then the connection is reset. Reason and reset are settled
    /// before: the handler is the user's too and may close the transport.
    /// </summary>
    private void Fail(Exception exception, string callback)
    {
        DropReservation();
        Flush();
        if (_state.TryFail()) _lostReason = exception;
        _binding.Report($"Fatal error: protocol.{callback}() call failed.", exception, this);
        Lose(exception);
    }

    private protected override void Lose(Exception? reason)
    {
        if (!_state.TryLose()) return;
        _lostReason ??= reason;
        InterruptFile(reason);
        _channel.StopReading();
        _stash?.Clear();
        _stash = null;
        DropQueue();
        _loop.Enqueue(this, Turn.Lost);
    }

    private protected override void FlowChanged(bool pause) => _binding.FlowChanged(this, pause);

    private protected override void HoldReading()
    {
        if (!_state.TryPause()) return;
        _isReadingHeld = true;
        _channel.StopReading();
    }

    private protected override void ReleaseReading()
    {
        if (_isReadingHeld) ResumeReading();
    }

    private void Release(bool reset)
    {
        TellAbandoned();
        _binding.Release();
        ConnectionSet.Remove(this);
        _channel.Close(reset);
    }

    private protected void Exchange(BaseProtocol? protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        EnterCall();
        if (protocol is WriteProtocol && this is IReadTransport)
        {
            throw new ArgumentException("A WriteProtocol cannot serve a duplex transport: it has no way to receive what arrives.", nameof(protocol));
        }

        ProtocolBinding.CheckFree(this, protocol);
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
        public const int Drain = 3;
    }
}
