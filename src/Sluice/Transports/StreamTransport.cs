using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>
/// A stream with asyncio's semantics over any backend's channel: its life, its receiving half, and whom it calls. State machine,
/// write queue, flow control and binding are structs in it: transport, channel and descriptor are all the objects of a connection.
/// Lives on the loop's thread.
/// </summary>
/// <remarks>
/// What its user may call is what the interface of the class above says: <see cref="DuplexTransport"/> both ways,
/// <see cref="ReadPipeTransport"/> and <see cref="WritePipeTransport"/> one way. Every path settles the state first and calls the user last; whatever comes after a call of the user's reads the state anew, because
/// the user may have closed, aborted, paused, written or exchanged the protocol meanwhile.
/// </remarks>
internal abstract class StreamTransport : ReceivingTransport, IBaseTransport, ILoopWork, ILoopTransport
{
    private Exception? _lostReason;

    protected StreamTransport(
        LoopCore loop, StreamChannel channel, BaseProtocol protocol, in TransportOrigin origin, int defaultHigh = FlowControl.DefaultHigh)
        : base(loop, channel, origin, defaultHigh)
    {
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

    public BaseProtocol? Protocol => _above is null ? _binding.Protocol : _above.Protocol;

    nint ILoopTransport.Handle => _channel.Handle;

    /// <summary>What the backend knows of the connection.</summary>
    internal StreamChannel Channel => _channel;

    /// <summary>Once it carries another transport, that one is closed.</summary>
    public override void Close()
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
        else if (!HasSeenEnd) _channel.StartReading();
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

    public override string ToString() => $"<{GetType().Name} {_state.Life} {DescribeEnds()}>";

    /// <summary>The ExecutionContext of its callbacks; null is the default one.</summary>
    internal ExecutionContext? Context => _binding.Context;

    /// <summary>From now on it carries another transport, which takes its place among the connections of its owner.</summary>
    internal void PutBelow(DuplexTransport above)
    {
        _above = above;
        ConnectionSet.Remove(this);
        if (_drain is not { IsOver: false } notice) return;
        notice.Cancel();
        _drain = null;
        above.RequestDrain(notice.Grace);
    }

    /// <summary>It has ended; perhaps ConnectionLost is still to come.</summary>
    internal bool IsLost => _state.IsLost;

    /// <summary>The connection has been made, and its channel is ready: data may come.</summary>
    internal bool HasStarted { get; private set; }

    /// <summary>When its handshake ended, where no data has come since; null where it had none, or data has come.</summary>
    internal virtual TimeSpan? SilentSince => null;

    /// <summary>Its server drains: the protocol hears of it once, when that is due.</summary>
    /// <param name="grace">How long at most the news waits for bytes.</param>
    /// <returns>False where a drain was told of before.</returns>
    internal bool RequestDrain(TimeSpan grace)
    {
        if (_drain is not null) return false;
        _drain = new DrainNotice(this, _loop, grace);
        _drain.Begin();
        return true;
    }

    /// <summary>Has the transport below deliver what has arrived there; <see cref="DrainNotice.OnBelowTold"/> follows. False where there is none.</summary>
    internal virtual bool RequestDrainBelow(TimeSpan grace) => false;

    /// <summary>The transport below has delivered what had arrived there by then.</summary>
    internal void OnBelowDrained() => _drain?.OnBelowTold();

    /// <summary>It is time to tell the protocol of the drain.</summary>
    internal void TellDrain()
    {
        if (_state.Life == Life.Open) _binding.DrainRequested(this);
    }

    /// <summary>At the loop's end: what is open is aborted, what is closing may go on for a while, what was never made goes.</summary>
    void ILoopTransport.EndWithLoop()
    {
        if (_state.Life == Life.Opening) Abandon(reset: true);
        if (_state.Life != Life.Open) return;
        if (_loop.Debug) _loop.Errors.LogNeverClosed(this);
        Abort();
    }

    /// <summary>Before ConnectionMade: goes without a callback.</summary>
    internal override void Abandon(bool reset)
    {
        if (!_state.TryAbandon()) return;
        Release(reset);
    }

    /// <summary>It is no use to wait any longer for what a close waits for.</summary>
    internal void CutOff(Exception reason, bool reset)
    {
        if (reset) _state.TryFail();
        Lose(reason);
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

    /// <summary>Calls ConnectionMade with the interface that the protocol was written for.</summary>
    private protected abstract void CallConnectionMade(in ProtocolBinding binding);

    /// <summary>A close has begun; what has been accepted still goes out.</summary>
    private protected virtual void BeginClosing()
    {
    }

    /// <summary>The two ends, for ToString.</summary>
    protected abstract string DescribeEnds();

    private protected override void Start()
    {
        if (!_state.TryOpen()) return;
        _readTurnQueued = true;
        CallConnectionMade(_binding);
        StartReading();
    }

    private protected override void StartReading()
    {
        _readTurnQueued = true;
        HasStarted = true;
        _drain?.OnStarted();
        TellStarted(this);
        QueueReadTurn();
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
    private protected override void Fail(Exception exception, string callback)
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
        _drain?.Cancel();
        DropStash();
        DropQueue();
        _loop.Enqueue(this, Turn.Lost);
    }

    private protected override void QueueReadTurn() => _loop.Enqueue(this, Turn.Read);

    private protected override void FlowChanged(bool pause) => _binding.FlowChanged(this, pause);

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
    }
}
