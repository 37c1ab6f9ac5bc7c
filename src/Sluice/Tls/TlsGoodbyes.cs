namespace Sluice.Tls;

/// <summary>The end of a TLS connection: until when both goodbyes have to be said, and how much of a peer is listened to that goes on sending. A struct inside the channel.</summary>
internal struct TlsGoodbyes
{
    private const int MostDiscarded = 256 * 1024;

    private TimeSpan _deadline;
    private int _discarded;

    /// <summary>The app has closed.</summary>
    public void Begin(TimeSpan deadline) => _deadline = deadline;

    /// <summary>How long the peer may take for its own, once ours is on its way: a shorter time, within that of the whole.</summary>
    public readonly TimeSpan TimeForPeer(TimeSpan now) => new(Math.Min(TlsOptions.PeerShutdownTimeout.Ticks, (_deadline - now).Ticks));

    /// <summary>The peer has sent what is of no use any more.</summary>
    /// <returns>False where that is enough: a peer that sends without end is as good as one that has ended.</returns>
    public bool Discard(int count)
    {
        _discarded += count;
        return _discarded <= MostDiscarded;
    }
}
