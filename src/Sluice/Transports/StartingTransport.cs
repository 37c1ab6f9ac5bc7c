using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>
/// The two ends of a stream transport's life, as far as its channel has a say in them: born at once, when the channel is ready, or not at all, and who waits for
/// it; closed at once, or when the channel says so. The whole, <see cref="StreamTransport"/>, adds what lies between, and receiving. Lives on the loop's thread.
/// </summary>
internal abstract class StartingTransport : SendingTransport
{
    private IStartWaiter? _waiter;

    private protected StartingTransport(LoopCore loop, StreamChannel channel, in TransportOrigin origin, int defaultHigh)
        : base(loop, channel, origin.Options.MaxWriteBufferSize, defaultHigh)
    {
        _waiter = origin.Waiter;
        if (origin.Birth == Birth.Before) _state.TryOpen();
        if (origin.IsPaused) _flow.InheritPause();
    }

    /// <summary>It closes itself, whatever it carries.</summary>
    internal bool ClosesItself => _state.IsClosing;

    internal bool IsWritingPaused => _flow.IsPaused;

    /// <summary>The peer has ended its stream, and the protocol has been told.</summary>
    internal bool HasEnded => _state.Reads == ReadSide.Ended;

    /// <summary>The channel is ready: the life of a transport begins that was to wait for it.</summary>
    internal void Begin()
    {
        if (_state.Life == Life.Opening) Start();
        else if (_state.Life == Life.Open) StartReading();
    }

    /// <summary>The channel did not become ready. A protocol that has been made hears of it, another one does not.</summary>
    internal void FailStart(Exception reason, bool reset)
    {
        var waiter = TakeWaiter();
        if (_state.Life == Life.Opening)
        {
            Abandon(reset);
        }
        else
        {
            if (reset) _state.TryFail();
            Lose(_state.IsClosing || reason is OperationCanceledException ? null : reason);
        }

        waiter?.OnFailed(reason);
    }

    /// <summary>It is no use to wait any longer for what a close waits for.</summary>
    internal void CutOff(Exception reason, bool reset)
    {
        if (reset) _state.TryFail();
        Lose(reason);
    }

    /// <summary>Before ConnectionMade: goes without a callback.</summary>
    internal abstract void Abandon(bool reset);

    /// <summary>ConnectionMade, and then <see cref="StartReading"/>.</summary>
    private protected abstract void Start();

    /// <summary>Tells who waits, and reads in a later turn.</summary>
    private protected abstract void StartReading();

    /// <summary>A close has begun; what has been accepted still goes out.</summary>
    private protected virtual void BeginClosing()
    {
    }

    /// <summary>A pause that the transport before had told of ends here: its queue was handed on before this one began.</summary>
    private protected void ResumeInherited()
    {
        if (_state.Life == Life.Open && _flow.IsPaused && IsDrained && _flow.TryResume(0)) FlowChanged(pause: false);
    }

    private protected void TellStarted(StreamTransport transport) => TakeWaiter()?.OnStarted(transport);

    /// <summary>It goes, and nobody else will tell who waits.</summary>
    private protected void TellAbandoned() => TakeWaiter()?.OnAbandoned();

    private IStartWaiter? TakeWaiter()
    {
        var waiter = _waiter;
        _waiter = null;
        return waiter;
    }
}
