using Sluice.Backends;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>
/// The birth of a stream transport: at once, or when its channel is ready, or not at all; and who waits for it. The whole,
/// <see cref="StreamTransport"/>, adds life and receiving. Lives on the loop's thread.
/// </summary>
internal abstract class StartingTransport : FileSendingTransport
{
    private IStartWaiter? _waiter;

    private protected StartingTransport(LoopCore loop, StreamChannel channel, in TransportOrigin origin, int defaultHigh)
        : base(loop, channel, origin.Options.MaxWriteBufferSize, defaultHigh)
    {
        _waiter = origin.Waiter;
        if (origin.Birth == Birth.Before) _state.TryOpen();
        if (origin.IsPaused) _flow.InheritPause();
    }

    /// <summary>It carries another transport: its users have that one.</summary>
    internal bool IsBelow => _above is not null;

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

    /// <summary>Before ConnectionMade: goes without a callback.</summary>
    internal abstract void Abandon(bool reset);

    /// <summary>ConnectionMade, and then <see cref="StartReading"/>.</summary>
    private protected abstract void Start();

    /// <summary>Tells who waits, and reads in a later turn.</summary>
    private protected abstract void StartReading();

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
