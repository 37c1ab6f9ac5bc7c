using Sluice.Loop;
using Sluice.Transports;

namespace Sluice.Serving;

/// <summary>
/// One drain of a server that is closed: its connections are told, finish or are cut off, and are counted. Owned by the server; lives on
/// the loop's thread.
/// </summary>
internal sealed class Drain
{
    private readonly LoopCore _core;
    private readonly ConnectionSet _connections;
    private readonly TaskCompletionSource<DrainResult> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeSpan _grace;
    private readonly Action _endListening;
    private int _total;
    private TimerHandle? _deadline;
    private int _aborted;
    private bool _isOver;

    /// <param name="core">The loop.</param>
    /// <param name="connections">The server's connections.</param>
    /// <param name="grace">How long at most the news of the drain waits for the bytes of a connection.</param>
    /// <param name="endListening">Closes the listeners that still take what waited at them: the time is over.</param>
    public Drain(LoopCore core, ConnectionSet connections, TimeSpan grace, Action endListening)
    {
        _grace = grace;
        _endListening = endListening;
        _core = core;
        _connections = connections;
        _total = connections.Count;
    }

    public Task<DrainResult> Task => _source.Task;

    /// <summary>Tells each connection, when what had arrived there has been delivered.</summary>
    public void TellAll()
    {
        foreach (var transport in _connections.Snapshot()) DrainNotice.Request(transport, _grace);
    }

    /// <summary>One more has come out of a listener's backlog.</summary>
    public void Welcome(StreamTransport transport)
    {
        _total++;
        DrainNotice.Request(transport, _grace);
    }

    /// <summary>Aborts what is left when the time is over. Of several deadlines the earliest counts.</summary>
    public void Limit(TimeSpan deadline)
    {
        if (deadline == TimeSpan.Zero)
        {
            Expire();
            return;
        }

        if (_isOver || deadline == Timeout.InfiniteTimeSpan) return;
        var timer = LoopTimer.Start(_core, deadline, static drain => ((Drain)drain!).Expire(), this);
        var later = _deadline is not null && _deadline.When <= timer.When ? timer : _deadline;
        if (later != timer) _deadline = timer;
        later?.Cancel();
    }

    /// <summary>Cuts off all that are left. ConnectionLost of each still follows.</summary>
    public void AbortRest()
    {
        foreach (var transport in _connections.Snapshot())
        {
            if (transport.State.IsLost) continue;
            _aborted++;
            transport.Abort();
        }
    }

    /// <summary>The loop ends: what has not begun to close is cut off, the rest may finish for as long as the loop waits.</summary>
    public void EndOpen()
    {
        foreach (var transport in _connections.Snapshot())
        {
            if (transport.IsClosing) continue;
            _aborted++;
            ((ILoopTransport)transport).EndWithLoop();
        }
    }

    /// <summary>The last connection is lost.</summary>
    public void Finish()
    {
        _isOver = true;
        _deadline?.Cancel();
        _source.TrySetResult(new DrainResult(_total - _aborted, _aborted));
    }

    private void Expire()
    {
        _endListening();
        AbortRest();
    }
}
