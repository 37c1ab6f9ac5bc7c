using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// The receiving half of a stream transport: what arrives, whom it is given to, and what waits meanwhile. The whole, <see cref="StreamTransport"/>, adds life. Lives on
/// the loop's thread.
/// </summary>
internal abstract class ReceivingTransport : StartingTransport, IStreamSink
{
    private protected ProtocolBinding _binding;
    private protected bool _readTurnQueued;

    /// <summary>A drain of its server, from its beginning on.</summary>
    private protected DrainNotice? _drain;
    private bool _isReadingHeld;
    private ReadStash? _stash;

    private protected ReceivingTransport(LoopCore loop, StreamChannel channel, in TransportOrigin origin, int defaultHigh)
        : base(loop, channel, origin, defaultHigh) => _binding = new ProtocolBinding(loop, origin.Context);

    public bool IsReading => _above?.IsReading ?? _state.IsReading;

    /// <summary>Bytes have arrived that nobody has had yet.</summary>
    internal bool HasUnread => _stash is { HasData: true };

    /// <summary>How many bytes have arrived that nobody has had yet, as far as that can be told; at least one where some have.</summary>
    internal int UnreadBytes => (_stash?.Count ?? 0) + _channel.Unread;

    /// <summary>The peer has ended its stream, whether the protocol knows or not.</summary>
    private protected bool HasSeenEnd => _state.Reads == ReadSide.Ended || _stash?.End is not null;

    public abstract void Close();

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
        QueueReadTurn();
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
        _drain?.OnDelivered(count);
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

    /// <summary>EofReceived asks for it: whether the transport can.</summary>
    private protected virtual bool KeepsOpenAfterEof() => true;

    /// <summary>Has <see cref="ContinueReading"/> called in a turn of its own.</summary>
    private protected abstract void QueueReadTurn();

    /// <summary>A callback threw, and that ends the connection.</summary>
    private protected abstract void Fail(Exception exception, string callback);

    /// <summary>A pause that the transport before had told of ends here: its queue was handed on before this one began.</summary>
    private void ResumeInherited()
    {
        if (_state.Life == Life.Open && _flow.IsPaused && IsDrained && _flow.TryResume(0)) FlowChanged(pause: false);
    }

    /// <summary>A turn to read in: what waits is delivered first, then what waits behind it.</summary>
    private protected void ContinueReading()
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
        _drain?.OnDelivered(data.Length);
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
            _drain?.OnDelivered(-data.Length);
        }
    }

    /// <summary>The read end, when nothing before it waits any more.</summary>
    private protected virtual void EndReading(IoError reason)
    {
        if (reason.IsNone) _drain?.OnEnded();
        if (!reason.IsNone) LoseBroken(reason);
        else if (_state.TryEndReading() && TellEnd(out var keepOpen) && !_state.IsClosing && !(keepOpen && KeepsOpenAfterEof())) Close();
    }

    /// <summary>Tells the protocol that nothing more will come. False where it threw; that has ended the connection.</summary>
    private protected bool TellEnd(out bool keepOpen)
    {
        if (_binding.EofReceived(out keepOpen) is not { } exception) return true;
        Fail(exception, "EofReceived");
        return false;
    }

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

    /// <summary>What waits will not be delivered.</summary>
    private protected void DropStash()
    {
        _stash?.Clear();
        _stash = null;
    }
}
