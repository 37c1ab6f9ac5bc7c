namespace Sluice.Transports;

/// <summary>
/// The state machine of a stream transport: three small enums that only the named transitions below change. Each transition is true
/// once, for the caller that made it happen; a false answer means that there is nothing to do. A struct inside its transport.
/// </summary>
/// <remarks>
/// <code>
///            TryOpen          TryClose             TryLose             TryRelease
/// Opening ------------ Open ------------ Closing ------------- Lost ------------- Closed
///    |                   |      TryAbort    |   the queue has   |  ConnectionLost     the kernel holds
///    |                   +------------------+   drained, or it  |  is queued          nothing of ours
///    |                                          broke           |
///    +------------------------- TryAbandon ---------------------+  (never made: no callback)
///
/// Reads:   On &lt;-- TryPause / TryResume --&gt; Paused      On -- TryEndReading --&gt; Ended       (only while Open)
/// Writes:  Open -- TryBeginWriteEof --&gt; Ending -- TryEndWriting --&gt; Ended               (the first only while Open)
/// </code>
/// Lost and Closed are different facts: in Lost nothing but ConnectionLost will be called any more, while the kernel may still send or
/// linger; in Closed the descriptor is gone.
/// </remarks>
internal struct StreamState
{
    public Life Life { get; private set; }

    public ReadSide Reads { get; private set; }

    public WriteSide Writes { get; private set; }

    /// <summary>The peer is to see a reset: set by an abort or by a callback that threw.</summary>
    public bool IsReset { get; private set; }

    public readonly bool IsClosing => Life >= Life.Closing;

    /// <summary>Data and the end of the stream may be delivered now.</summary>
    public readonly bool IsReading => Life == Life.Open && Reads == ReadSide.On;

    /// <summary>What arrives now is for later.</summary>
    public readonly bool IsPaused => Life == Life.Open && Reads == ReadSide.Paused;

    public readonly bool IsLost => Life >= Life.Lost;

    public bool TryOpen() => Move(Life.Opening, Life.Open);

    public bool TryAbandon() => Move(Life.Opening, Life.Lost);

    public bool TryClose() => Move(Life.Open, Life.Closing);

    /// <summary>From Open or Closing, once: what is queued will not be waited for.</summary>
    public bool TryAbort()
    {
        if (Life is not (Life.Open or Life.Closing) || IsReset) return false;
        Life = Life.Closing;
        return IsReset = true;
    }

    /// <summary>A callback threw: however the connection ends now, the peer is to see a reset. True once, while it has not ended otherwise.</summary>
    public bool TryFail()
    {
        if (Life is not (Life.Open or Life.Closing) || IsReset) return false;
        return IsReset = true;
    }

    public bool TryLose()
    {
        if (Life is not (Life.Open or Life.Closing)) return false;
        Life = Life.Lost;
        return true;
    }

    public bool TryRelease() => Move(Life.Lost, Life.Closed);

    public bool TryPause() => Move(ReadSide.On, ReadSide.Paused);

    public bool TryResume() => Move(ReadSide.Paused, ReadSide.On);

    public bool TryEndReading() => Move(ReadSide.On, ReadSide.Ended);

    public bool TryBeginWriteEof()
    {
        if (Life != Life.Open || Writes != WriteSide.Open) return false;
        Writes = WriteSide.Ending;
        return true;
    }

    /// <summary>The queue has drained behind WriteEof. A close supersedes it: ending the connection ends both sides.</summary>
    public bool TryEndWriting()
    {
        if (Life != Life.Open || Writes != WriteSide.Ending) return false;
        Writes = WriteSide.Ended;
        return true;
    }

    private bool Move(Life from, Life to)
    {
        if (Life != from) return false;
        Life = to;
        return true;
    }

    private bool Move(ReadSide from, ReadSide to)
    {
        if (Life != Life.Open || Reads != from) return false;
        Reads = to;
        return true;
    }
}

/// <summary>Where a transport stands between its birth and the return of its last resource.</summary>
internal enum Life : byte
{
    Opening,
    Open,
    Closing,
    Lost,
    Closed,
}

/// <summary>Whether the protocol gets data.</summary>
internal enum ReadSide : byte
{
    On,
    Paused,
    Ended,
}

/// <summary>Whether the user may write, and whether the peer has been told that no more comes.</summary>
internal enum WriteSide : byte
{
    Open,
    Ending,
    Ended,
}
