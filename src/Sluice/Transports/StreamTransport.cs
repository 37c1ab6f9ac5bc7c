using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// A stream with asyncio's semantics over any backend's channel. It holds the state machine, wires the two halves, the protocol and a file under way, and decides how a
/// connection begins and ends. All of these but the file are structs in it: transport, channel and descriptor are all the objects of a connection. Lives on the loop's thread.
/// </summary>
/// <remarks>
/// <code>
///   user's calls --> StreamTransport --> SendingHalf   --> StreamChannel
///                      StreamState
/// ProtocolBinding &lt;-- ReceivingHalf &lt;-- StreamTransport &lt;-- StreamChannel
/// </code>
/// What its user may call is what the interface of the class above says: <see cref="SocketTransport"/> both ways, <see cref="ReadPipeTransport"/> and
/// <see cref="WritePipeTransport"/> one way. Every path settles the state first and calls the user last; whatever comes after a call of the user's reads the state anew, because
/// the user may have closed, aborted, paused, written or exchanged the protocol meanwhile.
/// </remarks>
internal abstract class StreamTransport : IBaseTransport, IStreamSink, IStepFlush, ILoopWork, ILoopTransport, IExtraInfoSource, ILimited
{
    internal StreamState State;
    internal SendingHalf Sending;
    internal ReceivingHalf Receiving;
    internal ProtocolBinding Binding;
    internal LimitWatch Limits;
    private StreamStart _start;
    private ITransport? _above;
    private readonly TimeSpan _closingTimeout;
    private Exception? _lostReason;

    private protected StreamTransport(
        LoopCore loop, StreamChannel channel, BaseProtocol protocol, in TransportOrigin origin, int defaultHigh = FlowControl.DefaultHigh)
    {
        Channel = channel;
        _closingTimeout = origin.Options.ClosingTimeout;
        Sending = new SendingHalf(this, origin.Options.MaxWriteBufferSize, defaultHigh, origin.IsPaused);
        Receiving = new ReceivingHalf(this);
        Binding = new ProtocolBinding(loop, origin.Context);
        _start = new StreamStart(origin.Waiter);
        Bind(protocol);
        channel.Attach(this);
        loop.OpenChannels++;
        origin.Set.Add(this);
        Limits = new LimitWatch(this, origin.Options, loop);
        if (origin.Birth == Birth.Before) State.TryOpen();
        if (origin.Birth == Birth.AtOnce) loop.Enqueue(this, Turn.Start);
    }

    /// <summary>Its place in the set of its server or loop.</summary>
    internal ConnectionSet.Link Membership;

    internal LoopCore Loop => Binding.Loop;

    /// <summary>What the backend knows of the connection.</summary>
    internal StreamChannel Channel { get; }

    /// <summary>The file under way: nothing else can be written before it is done.</summary>
    internal FileSend? File { get; set; }

    /// <summary>The news of a drain of its server, from its beginning on.</summary>
    internal DrainNotice? Drain { get; set; }

    // What carries another transport answers for that one: its users may still hold it.
    public virtual bool IsClosing => _above?.IsClosing ?? State.IsClosing;

    public bool IsReading => _above?.IsReading ?? State.IsReading;

    public BaseProtocol? Protocol => _above is null ? Binding.Protocol : _above.Protocol;

    public virtual bool CanWriteEof => true;

    public int WriteBufferSize => State.IsLost ? 0 : Sending.Size;

    public (int Low, int High) WriteBufferLimits => Sending.Limits;

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value) => ExtraInfoLookup.TryGet(this, key, out value);

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => TryGetExtraInfo(key, out var value) ? value : null;

    public object? GetExtraInfo(string name, object? defaultValue = null) => ExtraInfoLookup.Get(this, name, defaultValue);

    public void Write(ReadOnlySpan<byte> data) => Enter(ref Sending).Write(data);

    public void Write(in ReadOnlySequence<byte> data) => Enter(ref Sending).Write(data);

    public void WriteLines(IEnumerable<ReadOnlyMemory<byte>> parts)
    {
        ArgumentNullException.ThrowIfNull(parts);
        Enter(ref Sending).WriteLines(parts);
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sizeHint);
        return Enter(ref Sending).Reserve(sizeHint);
    }

    public Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Loop.VerifyThread();
        Sending.Commit(count);
    }

    public virtual void WriteEof() => Enter(ref Sending).End();

    public void SetWriteBufferLimits(int? high = null, int? low = null) => Enter(ref Sending).SetLimits(high, low);

    public void PauseReading() => Enter(ref Receiving).Pause();

    public void ResumeReading() => Enter(ref Receiving).Resume();

    public void SetProtocol(IProtocol<ITransport> protocol) => Exchange(protocol?.Instance);

    public void SetProtocol(IProtocol<IReadTransport> protocol) => Exchange(protocol?.Instance);

    public void SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange(protocol?.Instance);

    /// <summary>Once it carries another transport, that one is closed.</summary>
    public void Close()
    {
        Loop.VerifyThread();
        if (_above is null) CloseFromAbove();
        else _above.Close();
    }

    public void Abort()
    {
        Loop.VerifyThread();
        if (_above is null) AbortFromAbove();
        else _above.Abort();
    }

    public override string ToString() => $"<{GetType().Name} {State.Life} {DescribeEnds()}>";

    /// <summary>It carries another transport: its users have that one.</summary>
    internal bool IsBelow => _above is not null;

    /// <summary>From now on it carries another transport, which takes its place among the connections of its owner.</summary>
    internal void PutBelow<TAbove>(TAbove above) where TAbove : StreamTransport, ITransport
    {
        _above = above;
        ConnectionSet.Remove(this);
        Drain?.HandOver(above);
    }

    Awaited ILimited.Awaits => LimitWatch.AwaitedBy(this);

    void ILimited.OnLimit(ConnectionLimit limit) => LimitWatch.Strike(this, limit);

    internal void CloseFromAbove()
    {
        Sending.DropReservation();
        if (State.Life == Life.Opening) Abandon(reset: false);
        if (!State.TryClose()) return;
        File?.Interrupt(null);
        Channel.StopReading();
        BeginClosing();
        Sending.Flush();
        if (State.Life != Life.Closing) return;
        if (_closingTimeout != Timeout.InfiniteTimeSpan) Channel.LimitClosing(_closingTimeout);
        if (Sending.IsDrained) FinishClosing();
        else if (!Receiving.HasSeenEnd) Channel.StartReading();
    }

    internal void AbortFromAbove()
    {
        Sending.DropReservation();
        if (State.Life == Life.Opening) Abandon(reset: true);
        if (!State.TryAbort()) return;
        Sending.FlushUnheard();
        Lose(null);
    }

    /// <summary>The channel is ready, where the start was to wait for that.</summary>
    internal void Begin() => _start.OnReady(this);

    /// <summary>The channel did not become ready.</summary>
    internal void FailStart(Exception reason, bool reset) => _start.Fail(this, reason, reset);

    /// <summary>Before ConnectionMade: goes without a callback.</summary>
    internal void Abandon(bool reset)
    {
        if (State.TryAbandon()) Release(reset);
    }

    /// <summary>It is no use to wait any longer for what a close waits for.</summary>
    internal void CutOff(Exception? reason, bool reset)
    {
        if (reset) State.TryFail();
        Lose(reason);
    }

    internal bool HasStarted => _start.IsDone;

    /// <summary>When its handshake ended, where no data has come since; null where it had none, or data has come.</summary>
    internal virtual TimeSpan? SilentSince => null;

    /// <summary>Has the transport below deliver what has arrived there; <see cref="DrainNotice.OnBelowTold"/> follows. False where there is none.</summary>
    internal virtual bool RequestDrainBelow(TimeSpan grace) => false;

    nint ILoopTransport.Handle => Channel.Handle;

    /// <summary>At the loop's end: what is open is aborted, what is closing may go on for a while, what was never made goes.</summary>
    void ILoopTransport.EndWithLoop()
    {
        if (State.Life == Life.Opening) Abandon(reset: true);
        if (State.Life != Life.Open) return;
        if (Loop.Debug) Loop.Errors.LogNeverClosed(this);
        Abort();
    }

    IStepFlush? IStepFlush.NextToFlush { get; set; }

    void IStepFlush.FlushStep() => Sending.OnEndOfStep();

    void IStreamSink.OnRead(ReadOnlySpan<byte> data) => Receiving.OnRead(data);

    Memory<byte> IStreamSink.ReadTarget() => Receiving.FindTarget();

    void IStreamSink.OnReadInto(int count) => Receiving.OnReadInto(count);

    void IStreamSink.OnReadEnd(IoError reason) => Receiving.OnReadEnd(reason);

    void IStreamSink.OnWritten(int count, IoError error) => Sending.OnWritten(count, error);

    void IStreamSink.OnRoom(IoError error)
    {
        File?.OnRoom(error);
        Loop.EndStep();
    }

    void IStreamSink.OnClosed()
    {
        Sending.DropForGood();
        if (State.TryRelease()) Loop.OpenChannels--;
    }

    void ILoopWork.Run(int code)
    {
        switch (code)
        {
            case Turn.Start:
                _start.Run(this);
                break;
            case Turn.Read:
                Sending.ResumeInherited();
                Receiving.Continue();
                break;
            case Turn.Lost:
                Binding.ConnectionLost(this, _lostReason);
                Release(State.IsReset);
                break;
        }
    }

    object? IExtraInfoSource.FindExtraInfo(string name) => FindExtraInfo(name);

    /// <summary>Everything that was accepted has been taken.</summary>
    internal void OnDrained()
    {
        if (State.Life == Life.Closing) FinishClosing();
        else if (State.TryEndWriting()) Channel.ShutdownWrite();
        else File?.OnDrained();
    }

    internal void CallFlowChanged(bool pause) => Binding.FlowChanged(this, pause);

    /// <summary>The read end, when nothing before it waits any more.</summary>
    internal virtual void EndReading(IoError reason)
    {
        if (reason.IsNone) Drain?.OnEnded();
        if (!reason.IsNone) LoseBroken(reason);
        else if (State.TryEndReading() && Receiving.TellEnd(out var keepOpen) && !State.IsClosing && !(keepOpen && KeepsOpenAfterEof())) Close();
    }

    /// <summary>
    /// A callback threw: what it had written leaves first, then the handler hears of it, then the connection is reset. Reason and reset are settled
    /// before: the handler is the user's too and may close the transport.
    /// </summary>
    internal void Fail(Exception exception, string callback)
    {
        Sending.DropReservation();
        Sending.Flush();
        if (State.TryFail()) _lostReason = exception;
        Binding.Report($"Fatal error: protocol.{callback}() call failed.", exception, this);
        Lose(exception);
    }

    internal void LoseBroken(IoError error)
    {
        if (State.IsLost) return;
        var exception = ToException(error);
        Loop.Errors.LogConnectionError(exception);
        Lose(exception);
    }

    /// <summary>An error of the system ends the connection, and the handler is to hear of it: it can change nothing about that.</summary>
    private protected void LoseReported(string message, Exception exception)
    {
        if (State.IsLost) return;
        _lostReason ??= exception;
        Binding.Report(message, exception, this);
        Lose(exception);
    }

    /// <summary>The connection is over; the first reason counts.</summary>
    internal void Lose(Exception? reason)
    {
        if (!State.TryLose()) return;
        _lostReason ??= reason;
        Limits.End(Loop);
        File?.Interrupt(reason);
        Channel.StopReading();
        Drain?.Cancel();
        Receiving.Drop();
        Sending.Drop();
        Loop.Enqueue(this, Turn.Lost);
    }

    /// <summary>Calls ConnectionMade with the interface that the protocol was written for.</summary>
    internal abstract void CallConnectionMade();

    /// <summary>A fact by asyncio's name, or null.</summary>
    private protected abstract object? FindExtraInfo(string name);

    /// <summary>The two ends, for ToString.</summary>
    private protected abstract string DescribeEnds();

    /// <summary>A close has begun; what has been accepted still goes out.</summary>
    private protected virtual void BeginClosing()
    {
    }

    /// <summary>It closes, and everything that was accepted has been taken.</summary>
    private protected virtual void FinishClosing() => Lose(null);

    /// <summary>EofReceived asks for it: whether the transport can.</summary>
    private protected virtual bool KeepsOpenAfterEof() => true;

    /// <summary>The exception that users see.</summary>
    private protected virtual Exception ToException(IoError error) => error.ToException();

    /// <summary>Begins every call of the user's that acts: on the right thread, and with nothing lent.</summary>
    private protected void EnterCall()
    {
        Loop.VerifyThread();
        if (_above is not null) ThrowBelow();
        Sending.DropReservation();
    }

    private ref THalf Enter<THalf>(ref THalf half) where THalf : struct
    {
        EnterCall();
        return ref half;
    }

    private void ThrowBelow() => throw new InvalidOperationException(
        $"This transport carries a TLS connection now ({_above}): use the transport that StartTlsAsync has returned.");

    private void Exchange(BaseProtocol? protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        EnterCall();
        ProtocolBinding.CheckFits(this, protocol);
        Sending.Flush();
        if (Binding.Protocol is not null) Bind(protocol);
    }

    private void Bind(BaseProtocol protocol)
    {
        Binding.Bind(this, protocol);
        Channel.AsksForTarget = Binding.Buffered is not null;
    }

    private void Release(bool reset)
    {
        Limits.End(Loop);
        _start.Abandon();
        Binding.Release();
        ConnectionSet.Remove(this);
        Channel.Close(reset);
    }

    /// <summary>The kinds of turn that a transport queues for itself.</summary>
    internal static class Turn
    {
        public const int Start = 0;
        public const int Read = 1;
        public const int Lost = 2;
    }
}
