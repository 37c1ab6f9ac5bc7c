namespace Sluice.Testing.Kernel.Links;

/// <summary>
/// Sends lost packets again after 200 ms, 400 ms, … until they come through or it gives up. Owned by one
/// direction of a connection, from its first loss on.
/// </summary>
/// <remarks>
/// A simplification: there are no acknowledgements, so nothing is sent twice, nothing is sent again early, and what was lost together goes
/// out again together.
/// </remarks>
internal sealed class Retransmission(SimulatedNetwork network, Link link)
{
    private const int MostTries = 15;
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(200);

    private long _delivered = -1;
    private TimeSpan _since;
    private TimeSpan _wait;
    private int _tries;
    private int _run;
    private bool _isRunning;

    /// <summary>A packet has been lost.</summary>
    public void Begin()
    {
        if (_isRunning) return;
        _isRunning = true;
        _run++;
        RenewPatience();
        Schedule();
    }

    /// <summary>What has come through since shows that the peer is there.</summary>
    private void RenewPatience()
    {
        if (_delivered == link.Delivered) return;
        _delivered = link.Delivered;
        _since = network.Clock.Now;
        _wait = First;
        _tries = 0;
    }

    private void Schedule()
    {
        var run = _run;
        var due = network.Clock.Now + _wait;
        var end = _since + network.Options.RetransmissionTimeout;
        network.Schedule(due < end ? due : end, () =>
        {
            if (run == _run) Expire();
        });
    }

    private void Expire()
    {
        if (link.HasLost && (_tries >= MostTries || network.Clock.Now >= _since + network.Options.RetransmissionTimeout))
        {
            _isRunning = false;
            link.GiveUp();
            return;
        }

        _tries++;
        _wait *= 2;
        RenewPatience();
        link.SendLostAgain();
        _isRunning = link.HasLost;
        if (_isRunning) Schedule();
    }
}
