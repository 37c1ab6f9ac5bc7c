using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>
/// Notices a file that keeps reporting although its descriptor is closed. Owned by the epoll set, which is then made anew.
/// </summary>
/// <remarks>
/// <para>A close takes a file out of the set only with the last descriptor of it, and a process that starts a child lends the child copies of
/// all of them between fork and exec. A connection closed in that moment, or one that native code has duplicated, may
/// stay in the set: without a target, without a number that epoll_ctl would take, and always ready.</para>
/// <para>To leave the set before every close would rule that out, for one more system call per connection, a fifth of those that a short one
/// takes. Instead its events are dropped, as all stale ones are, and only a file that goes on for longer than a child needs to reach
/// exec costs something: a new set, with everybody who is in the old one.</para>
/// </remarks>
internal sealed class GhostEvents(IClock clock)
{
    /// <summary>How long a file may report to nobody. The loop does not sleep meanwhile.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(20);

    private ulong _suspect;
    private TimeSpan _since;
    private long _lastPoll;

    /// <summary>Whether a file has gone on for too long.</summary>
    public bool IsDue { get; private set; }

    /// <summary>
    /// An event came whose token has no target. An ordinary stale one was fetched together with the event that closed its target, and does not
    /// come again.
    /// </summary>
    /// <param name="token">The event's token.</param>
    /// <param name="poll">The number of the poll.</param>
    public void OnStale(ulong token, long poll)
    {
        if (token == _suspect && _lastPoll != 0)
        {
            _lastPoll = poll;
            IsDue = clock.Now - _since >= Patience;
        }
        else if (poll > _lastPoll + 2)
        {
            // The stale event has not come again, though every second poll at least looks at the kernel.
            _suspect = token;
            _since = clock.Now;
            _lastPoll = poll;
        }
    }

    /// <summary>The set is a new one, or could not be made: what goes on from here on is another case.</summary>
    public void Reset()
    {
        IsDue = false;
        _lastPoll = 0;
    }
}
