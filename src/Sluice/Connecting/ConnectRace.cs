using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Connecting;

/// <summary>Hears how a race ended: one call.</summary>
internal interface IRaceSink
{
    /// <summary>One address took the connection. The other attempts are over, their sockets closed.</summary>
    void OnWon(StreamChannel channel);

    /// <summary>No address did.</summary>
    /// <param name="failures">In the order of the attempts.</param>
    void OnLost(IReadOnlyList<SocketException> failures);

    /// <summary>Something went wrong that has nothing to do with the addresses. The attempts are over.</summary>
    void OnBroken(Exception reason);
}

/// <summary>
/// Tries addresses in order: the next when the latest has failed, or beside it once it has taken too long. The first success ends the
/// race. Owned by its dialer; lives on the loop's thread.
/// </summary>
internal sealed class ConnectRace : IAttemptSink, IHeapTimer, ILoopWork
{
    private readonly LoopCore _core;
    private readonly IReadOnlyList<EndPoint> _remotes;
    private readonly IReadOnlyList<EndPoint>? _locals;
    private readonly ConnectionOptions _options;
    private readonly IRaceSink _sink;
    private readonly List<ConnectAttempt> _attempts = [];
    private int _underWay;
    private bool _isOver;
    private long _due;

    /// <param name="core">The loop.</param>
    /// <param name="remotes">Where to, in order.</param>
    /// <param name="locals">Where from; null leaves it to the system.</param>
    /// <param name="options">Among others, how long an attempt may take before the next begins.</param>
    /// <param name="sink">Who hears.</param>
    public ConnectRace(LoopCore core, IReadOnlyList<EndPoint> remotes, IReadOnlyList<EndPoint>? locals, ConnectionOptions options, IRaceSink sink)
    {
        _core = core;
        _remotes = remotes;
        _locals = locals;
        _options = options;
        _sink = sink;
    }

    long IHeapTimer.Due => _due;

    int IHeapTimer.HeapIndex { get; set; } = -1;

    private bool HasMore => _attempts.Count < _remotes.Count;

    /// <summary>Begins. Where all attempts fail at once, the sink hears of it now.</summary>
    public void Start() => StartNext();

    /// <summary>Ends the race: nothing stays open, and nobody hears of it.</summary>
    public void Cancel() => Finish(winner: null);

    /// <summary>The latest attempt has taken too long.</summary>
    void ILoopWork.Run(int code) => StartNext();

    void IAttemptSink.OnConnected(ConnectAttempt attempt, StreamChannel channel)
    {
        Finish(attempt);
        _sink.OnWon(channel);
    }

    void IAttemptSink.OnFailed(ConnectAttempt attempt)
    {
        _underWay--;
        if (HasMore && attempt == _attempts[^1]) StartNext();
        else if (!HasMore && _underWay == 0) Lose();
    }

    void IAttemptSink.OnBroken(Exception reason)
    {
        Finish(winner: null);
        _sink.OnBroken(reason);
    }

    private void StartNext()
    {
        _core.RemoveTimer(this);
        while (HasMore)
        {
            if (!TryStartOne()) continue;
            if (!_isOver && HasMore && _options.HappyEyeballsDelay is { } delay) StartTimer(delay);
            return;
        }

        if (_underWay == 0) Lose();
    }

    private bool TryStartOne()
    {
        var attempt = new ConnectAttempt(_core, _remotes[_attempts.Count], _locals, _options, this);
        _attempts.Add(attempt);
        try
        {
            if (!attempt.TryStart()) return false;
            _underWay++;
        }
        catch (Exception exception)
        {
            Finish(winner: null);
            _sink.OnBroken(exception);
        }

        return true;
    }

    private void StartTimer(TimeSpan delay)
    {
        _due = LoopTimes.After(_core.Time, delay).Ticks;
        _core.AddTimer(this);
    }

    private void Lose()
    {
        Finish(winner: null);
        _sink.OnLost([.. _attempts.SelectMany(attempt => attempt.Failures)]);
    }

    private void Finish(ConnectAttempt? winner)
    {
        _isOver = true;
        _core.RemoveTimer(this);
        foreach (var attempt in _attempts)
        {
            if (attempt != winner) attempt.Cancel();
        }
    }
}
