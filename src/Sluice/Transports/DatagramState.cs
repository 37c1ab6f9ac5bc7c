namespace Sluice.Transports;

/// <summary>
/// The state machine of a datagram transport: two small enums that only the named transitions below change. Each transition is true once, for the caller that made it happen. A
/// struct inside its transport.
/// </summary>
/// <remarks>
/// <code>
///            TryOpen          TryClose             TryLose             TryRelease
/// Opening ------------ Open ------------ Closing ------------- Lost ------------- Closed
///    |                   |                  the queue has                  |  ConnectionLost     the kernel holds
///    |                   |                  drained, or Abort              |  is queued          nothing of ours
///    |                   +------------------------- TryLose ---------------+
///    +------------------------- TryAbandon --------------------------------+  (never made: no callback)
///
/// Sends:   Ready -- TryBeginFlush --&gt; Flushing -- EndFlush --&gt; Ready | Blocked -- TryUnblock --&gt; Ready
/// </code>
/// There is no end of the stream and no fatal error: what the kernel reports about a datagram socket is always about one datagram.
/// </remarks>
internal struct DatagramState
{
    public Life Life { get; private set; }

    public SendSide Sends { get; private set; }

    public readonly bool IsClosing => Life >= Life.Closing;

    public readonly bool IsLost => Life >= Life.Lost;

    public bool TryOpen() => Move(Life.Opening, Life.Open);

    public bool TryAbandon() => Move(Life.Opening, Life.Lost);

    public bool TryClose() => Move(Life.Open, Life.Closing);

    public bool TryLose() => Move(Life.Open, Life.Lost) || Move(Life.Closing, Life.Lost);

    public bool TryRelease() => Move(Life.Lost, Life.Closed);

    /// <summary>The kernel is to be asked: false while it is being asked, or has said that it is full.</summary>
    public bool TryBeginFlush()
    {
        if (IsLost || Sends != SendSide.Ready) return false;
        Sends = SendSide.Flushing;
        return true;
    }

    public void EndFlush(bool isBlocked) => Sends = isBlocked ? SendSide.Blocked : SendSide.Ready;

    public bool TryUnblock()
    {
        if (Sends != SendSide.Blocked) return false;
        Sends = SendSide.Ready;
        return true;
    }

    private bool Move(Life from, Life to)
    {
        if (Life != from) return false;
        Life = to;
        return true;
    }
}

/// <summary>What stands between a datagram and the kernel.</summary>
internal enum SendSide : byte
{
    /// <summary>Nothing: the kernel can be asked.</summary>
    Ready,

    /// <summary>It is being asked further up the stack; a callback of the user's runs inside.</summary>
    Flushing,

    /// <summary>It was full, and will say when it is not.</summary>
    Blocked,
}
