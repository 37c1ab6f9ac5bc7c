using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// The receiving half of a stream transport: what arrives, when it is given to the protocol, and what waits meanwhile. A struct inside its
/// <see cref="StreamTransport"/>, which checks the thread before it passes on a call of the user's.
/// </summary>
/// <remarks>
/// Every call of the user's may have closed, paused or exchanged the protocol: the state is read anew behind each. What it asks of its transport is state, channel, loop and
/// binding, and two things that a half cannot decide alone: <see cref="StreamTransport.EndReading"/> and <see cref="StreamTransport.Fail"/>.
/// </remarks>
internal struct ReceivingHalf(StreamTransport transport)
{
    private readonly StreamTransport _transport = transport;
    private ReadStash? _stash;
    private bool _turnQueued;
    private bool _isHeld;

    /// <summary>Bytes have arrived that nobody has had yet.</summary>
    public readonly bool HasUnread => _stash is { HasData: true };

    /// <summary>How many bytes have arrived that nobody has had yet, as far as that can be told; at least one where some have.</summary>
    public readonly int Unread => (_stash?.Count ?? 0) + _transport.Channel.Unread;

    /// <summary>The peer has ended its stream, whether the protocol knows or not.</summary>
    public readonly bool HasSeenEnd => _transport.State.Reads == ReadSide.Ended || _stash?.End is not null;

    public void Pause()
    {
        _isHeld = false;
        if (_transport.State.TryPause()) _transport.Channel.StopReading();
    }

    public void Resume()
    {
        _isHeld = false;
        if (!_transport.State.TryResume()) return;
        _transport.Limits.NoteResumed(_transport.Loop);
        if (!_turnQueued) QueueTurn();
    }

    /// <summary>Pauses for the transport's own sake; <see cref="Release"/> undoes it unless the user has paused or resumed meanwhile.</summary>
    public void Hold()
    {
        if (!_transport.State.TryPause()) return;
        _isHeld = true;
        _transport.Channel.StopReading();
    }

    public void Release()
    {
        if (_isHeld) Resume();
    }

    /// <summary>A turn to read in will be asked for: until then a resume asks for none.</summary>
    public void ExpectTurn() => _turnQueued = true;

    /// <summary>Has <see cref="Continue"/> called in a turn of its own.</summary>
    public void QueueTurn()
    {
        _turnQueued = true;
        _transport.Loop.Enqueue(_transport, StreamTransport.Turn.Read);
    }

    /// <summary>The turn to read in: what waits is delivered first, then what waits behind it.</summary>
    public void Continue()
    {
        _turnQueued = false;
        while (_transport.State.IsReading && _stash is { HasData: true } stash)
        {
            var segment = stash.TakeFirst();
            Deliver(segment.Span);
            stash.Return(segment);
        }

        if (!_transport.State.IsReading) return;
        var end = _stash?.End;
        _stash = null;
        if (end is { } reason) _transport.EndReading(reason);
        else _transport.Channel.StartReading();
    }

    public void OnRead(ReadOnlySpan<byte> data)
    {
        _transport.Limits.NoteRead(_transport.Loop, data.Length);
        if (_transport.State.IsReading && _stash is null) Deliver(data);
        else if (_transport.State.IsReading || _transport.State.IsPaused) Stash().Append(data);
        _transport.Loop.EndStep();
    }

    /// <summary>The memory of a protocol that owns its buffer, or none where the bytes could not be taken at once.</summary>
    public readonly Memory<byte> FindTarget()
    {
        while (_transport.State.IsReading && _stash is null && _transport.Binding.Buffered is { } asked)
        {
            if (_transport.Binding.GetBuffer(-1, out var buffer) is { } exception) _transport.Fail(exception, "GetBuffer");
            // The kernel may have nothing to read after all: what GetBuffer wrote must not wait for bytes that do not come.
            if (_transport.Loop.HasUnflushedWrites) _transport.Loop.EndStep();
            if (_transport.State.IsReading && ReferenceEquals(asked, _transport.Binding.Buffered)) return buffer;
        }

        return default;
    }

    /// <summary>The memory of <see cref="FindTarget"/> holds bytes now.</summary>
    public readonly void OnReadInto(int count)
    {
        _transport.Limits.NoteRead(_transport.Loop, count);
        _transport.Drain?.OnDelivered(count);
        if (_transport.State.IsReading && _transport.Binding.BufferUpdated(count) is { } exception) _transport.Fail(exception, "BufferUpdated");
        _transport.Loop.EndStep();
    }

    public void OnReadEnd(IoError reason)
    {
        if (_transport.State.IsPaused || (_transport.State.IsReading && _stash is not null)) Stash().End = reason;
        else _transport.EndReading(reason);
        _transport.Loop.EndStep();
    }

    /// <summary>Tells the protocol that nothing more will come. False where it threw; that has ended the connection.</summary>
    public readonly bool TellEnd(out bool keepOpen)
    {
        if (_transport.Binding.EofReceived(out keepOpen) is not { } exception) return true;
        _transport.Fail(exception, "EofReceived");
        return false;
    }

    /// <summary>What waits will not be delivered.</summary>
    public void Drop()
    {
        _stash?.Clear();
        _stash = null;
    }

    private ReadStash Stash() => _stash ??= new ReadStash(_transport.Loop.Segments);

    /// <summary>Hands bytes to the protocol, in rounds where it owns the buffer. What a pause in between leaves goes to the stash.</summary>
    private void Deliver(ReadOnlySpan<byte> data)
    {
        _transport.Drain?.OnDelivered(data.Length);
        while (_transport.State.IsReading && _transport.Binding.Buffered is { } asked)
        {
            if (_transport.Binding.GetBuffer(data.Length, out var buffer) is { } refused)
            {
                _transport.Fail(refused, "GetBuffer");
                return;
            }

            if (!_transport.State.IsReading || !ReferenceEquals(asked, _transport.Binding.Buffered)) continue;
            var taken = Math.Min(data.Length, buffer.Length);
            data[..taken].CopyTo(buffer.Span);
            data = data[taken..];
            if (_transport.Binding.BufferUpdated(taken) is { } failed)
            {
                _transport.Fail(failed, "BufferUpdated");
                return;
            }

            if (data.IsEmpty) return;
        }

        if (_transport.State.IsReading)
        {
            if (_transport.Binding.DataReceived(data) is { } exception) _transport.Fail(exception, "DataReceived");
        }
        else if (_transport.State.IsPaused)
        {
            Stash().PutBack(data);
            _transport.Drain?.OnDelivered(-data.Length);
        }
    }
}
