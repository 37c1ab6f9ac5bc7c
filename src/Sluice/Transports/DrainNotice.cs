using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// The news of a drain on its way to one protocol. It comes behind the bytes that had arrived by then, and to a connection that is not made yet, or has just come out of its
/// handshake, behind its first data; but no later than the grace allows. Made by a drain; owned by its transport; lives on the loop's thread.
/// </summary>
/// <remarks><code>
/// Asked ---- ready? ----> AwaitsBelow ---- carries none, or it was told --> Counting -- nothing has arrived ----------------------------> Told
///   |  not yet                 ^                                              |                                                            ^
///   v                          |                                              +----> AwaitsBytes -- they are delivered, the end, the grace --+
/// AwaitsStart --> AwaitsData --+  first data                                                                                               |
///                      +-------------------------------------------------------------------------------- the end of the stream, the grace --+
/// </code>
/// Whatever ends a wait, the protocol is told in a turn of its own.
/// </remarks>
internal sealed class DrainNotice(StreamTransport transport, TimeSpan grace) : ILoopWork, IHeapTimer
{
    private const int TimerTurn = 0;
    private const int OwnTurn = 1;

    private readonly LoopCore _loop = transport.Loop;
    private Step _step = Step.Asked;
    private long _left;
    private long _due;
    private bool _turnQueued;

    private enum Step : byte
    {
        Asked,
        AwaitsStart,
        AwaitsData,
        AwaitsBelow,
        Counting,
        AwaitsBytes,
        Told,
    }

    long IHeapTimer.Due => _due;

    int IHeapTimer.HeapIndex { get; set; } = -1;

    /// <summary>The server of a transport drains: its protocol is to hear of it once, when that is due.</summary>
    /// <param name="transport">The transport.</param>
    /// <param name="grace">How long at most the news waits for bytes.</param>
    /// <returns>False where a drain was told of before.</returns>
    public static bool Request(StreamTransport transport, TimeSpan grace)
    {
        if (transport.Drain is not null) return false;
        transport.Drain = new DrainNotice(transport, grace);
        transport.Drain.Begin();
        return true;
    }

    /// <summary>Another transport has the protocol from now on.</summary>
    public void HandOver(StreamTransport above)
    {
        if (_step == Step.Told) return;
        Cancel();
        transport.Drain = null;
        Request(above, grace);
    }

    /// <summary>The connection has been made, and reads from now on.</summary>
    public void OnStarted()
    {
        if (_step != Step.AwaitsStart) return;
        _step = Step.AwaitsData;
        StartTimer(_loop.Time);
    }

    /// <summary>The protocol has had bytes; a negative count takes some back.</summary>
    public void OnDelivered(int count)
    {
        if (_step == Step.AwaitsData)
        {
            _step = Step.Asked;
            QueueTurn();
        }
        else if (_step == Step.AwaitsBytes)
        {
            _left -= count;
            if (_left <= 0) QueueTurn();
        }
    }

    /// <summary>The peer has ended its stream: nothing more will come.</summary>
    public void OnEnded()
    {
        if (_step is not (Step.AwaitsData or Step.AwaitsBytes)) return;
        _step = Step.Counting;
        QueueTurn();
    }

    /// <summary>The transport below has delivered what had arrived.</summary>
    public void OnBelowTold()
    {
        if (_step != Step.AwaitsBelow) return;
        _step = Step.Counting;
        QueueTurn();
    }

    /// <summary>Nobody is to be told any more.</summary>
    public void Cancel()
    {
        _step = Step.Told;
        _loop.RemoveTimer(this);
    }

    void ILoopWork.Run(int code)
    {
        if (code == OwnTurn) _turnQueued = false;
        if (_step == Step.Told) return;
        if (code == TimerTurn) Tell();
        else GoOn();
    }

    private void Begin()
    {
        if (!transport.HasStarted)
        {
            _step = Step.AwaitsStart;
        }
        else if (transport.SilentSince is { } since && (grace == Timeout.InfiniteTimeSpan || _loop.Time - since < grace))
        {
            _step = Step.AwaitsData;
            StartTimer(since);
        }
        else
        {
            QueueTurn();
        }
    }

    private void GoOn()
    {
        if (_step == Step.Asked)
        {
            _step = Step.AwaitsBelow;
            if (transport.RequestDrainBelow(grace)) return;
            _step = Step.Counting;
        }

        if (_step == Step.Counting)
        {
            _left = transport.State.Reads == ReadSide.Ended || grace == TimeSpan.Zero ? 0 : transport.Receiving.Unread;
            _step = Step.AwaitsBytes;
            if (_left > 0) StartTimer(_loop.Time);
        }

        if (_step == Step.AwaitsBytes && _left <= 0) Tell();
    }

    private void Tell()
    {
        Cancel();
        if (transport.State.Life == Life.Open) transport.Binding.DrainRequested(transport);
    }

    private void QueueTurn()
    {
        if (_turnQueued) return;
        _turnQueued = true;
        _loop.Enqueue(this, OwnTurn);
    }

    private void StartTimer(TimeSpan since)
    {
        _loop.RemoveTimer(this);
        if (grace == Timeout.InfiniteTimeSpan) return;
        _due = LoopTimes.After(since, grace).Ticks;
        _loop.AddTimer(this);
    }
}
