using Sluice.Transports;

namespace Sluice.Serving;

/// <summary>
/// Lets the connection of a full server go that has been idle for longest, for a new one. Owned by its server.
/// </summary>
/// <remarks>
/// A look at all connections finds the few that have been idle for longest; they serve the next accepts, as long as nothing has moved on them since: all others have moved later. So a flood of
/// connections costs each accept a small part of such a look.
/// </remarks>
internal sealed class IdleReplacement(ConnectionSet connections, TimeSpan after)
{
    private const int MostCandidates = 64;

    private readonly (StreamTransport? Transport, long Since)[] _candidates = new (StreamTransport?, long)[MostCandidates];
    private int _next;
    private int _count;
    private long _notBefore;

    /// <summary>How many it has let go.</summary>
    public long Count { get; private set; }

    /// <summary>Whether one has been idle for long enough.</summary>
    public bool HasOne(TimeSpan now)
    {
        if (now.Ticks < _notBefore) return false;
        if (!FindCandidate())
        {
            Look();
            if (!FindCandidate()) return false;
        }

        var since = _candidates[_next].Since;
        if (now.Ticks - since >= after.Ticks) return true;
        // None can be before that: all others have moved later.
        _notBefore = since + after.Ticks;
        Forget();
        return false;
    }

    /// <summary>Aborts it. False where none has been idle for long enough.</summary>
    public bool TryLetOneGo(TimeSpan now)
    {
        if (!HasOne(now)) return false;
        var transport = _candidates[_next].Transport!;
        _candidates[_next++] = default;
        Count++;
        LimitWatch.Strike(transport, ConnectionLimit.MaxConnections);
        return true;
    }

    /// <summary>Passes over those that have moved or ended since the look.</summary>
    private bool FindCandidate()
    {
        for (; _next < _count; _next++)
        {
            if (LimitWatch.IdleSince(_candidates[_next].Transport!) == _candidates[_next].Since) return true;
            _candidates[_next] = default;
        }

        return false;
    }

    /// <summary>Finds those that have been idle for longest, in order.</summary>
    private void Look()
    {
        Forget();
        for (var member = connections.First; member is not null; member = member.Membership.Next)
        {
            if (LimitWatch.IdleSince(member) is not { } since) continue;
            if (_count == MostCandidates && since >= _candidates[^1].Since) continue;
            var index = _count < MostCandidates ? _count++ : _count - 1;
            for (; index > 0 && _candidates[index - 1].Since > since; index--) _candidates[index] = _candidates[index - 1];
            _candidates[index] = (member, since);
        }
    }

    private void Forget()
    {
        Array.Clear(_candidates, 0, _count);
        _next = _count = 0;
    }
}
