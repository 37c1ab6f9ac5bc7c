using System.Net;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Tls;

/// <summary>
/// A channel over a transport instead of a kernel: what it knows from that transport, a turn of its own and a timer. What is done with the bytes
/// is decided by its derived class. Lives on the loop's thread.
/// </summary>
internal abstract class UpperChannel(LoopCore loop) : StreamChannel, ILoopWork, IHeapTimer
{
    private const int TimerTurn = 0;
    private const int OwnTurn = 1;

    private protected readonly LoopCore _loop = loop;
    private protected LowerTransport _lower;
    private bool _turnQueued;
    private long _due;

    /// <summary>The transport below.</summary>
    public ITransport Lower => _lower.Transport;

    public override nint Handle => Socket?.Handle ?? -1;

    public override EndPoint? LocalName => Lower.GetExtraInfo(ExtraInfo.SocketName);

    public override EndPoint? PeerName => Lower.GetExtraInfo(ExtraInfo.PeerName);

    public override TransportSocket? Socket => Lower.GetExtraInfo(ExtraInfo.Socket);

    public override PeerCredentials? PeerCredentials => Lower.GetExtraInfo(ExtraInfo.PeerCredentials);

    long IHeapTimer.Due => _due;

    int IHeapTimer.HeapIndex { get; set; } = -1;

    /// <summary>When the handshake ended, where no data has come since.</summary>
    public TimeSpan? SilentSince { get; private protected set; }

    /// <summary>When the timer was last to come due.</summary>
    private protected TimeSpan Due => new(_due);

    void ILoopWork.Run(int code)
    {
        if (code == TimerTurn)
        {
            OnLate();
            return;
        }

        _turnQueued = false;
        OnTurn();
    }

    private protected void PutAbove(ITransport lower) => _lower = new LowerTransport(lower);

    /// <summary>A turn that <see cref="QueueTurn"/> asked for.</summary>
    private protected abstract void OnTurn();

    /// <summary>The timer is due.</summary>
    private protected abstract void OnLate();

    private protected void QueueTurn()
    {
        if (_turnQueued) return;
        _turnQueued = true;
        _loop.Enqueue(this, OwnTurn);
    }

    private protected void StartTimer(TimeSpan delay)
    {
        StopTimer();
        _due = LoopTimes.After(_loop.Time, delay).Ticks;
        _loop.AddTimer(this);
    }

    private protected void StopTimer() => _loop.RemoveTimer(this);
}
