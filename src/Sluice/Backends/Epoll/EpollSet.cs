using System.Net.Sockets;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>The set of descriptors that one loop waits for, who hears of each, and the descriptor that wakes the wait. Owned by the backend.</summary>
/// <remarks>
/// The set holds open files, not numbers. A close removes the file by itself, but only if no duplicate is left. So descriptors
/// that others may hold leave the set before they are closed, and the rest save the call; a file that stays for all that is noticed, and the set is made anew: see
/// <see cref="GhostEvents"/>. An event that was already fetched is stale by its token: see <see cref="SlotTable"/>.
/// </remarks>
internal sealed class EpollSet : IDisposable
{
    private const int MaxEventsPerPoll = 512;

    /// <summary>No slot has it: slots count from zero.</summary>
    private const ulong WakeToken = ulong.MaxValue;

    private readonly Syscalls _system;
    private readonly EpollEvents _events = new(MaxEventsPerPoll);
    private readonly SlotTable _slots = new();
    private readonly GhostEvents _ghosts;
    private readonly WakeEvent _wake;
    private SafeFd _epoll;

    /// <exception cref="SocketException">The system has no descriptor to spare.</exception>
    public EpollSet(Syscalls system, IClock clock)
    {
        _system = system;
        _ghosts = new GhostEvents(clock);
        _epoll = Own(system.EpollCreate(out var error), error);
        try
        {
            _wake = new WakeEvent(system, Own(system.EventDescriptor(out error), error));
            Check(AddWake(_epoll.Number));
        }
        catch
        {
            _wake?.Close();
            _epoll.Dispose();
            throw;
        }
    }

    public ulong Add(IEpollTarget target) => _slots.Add(target);

    public void Replace(ulong token, IEpollTarget target) => _slots.Replace(token, target);

    public void Remove(ulong token) => _slots.Remove(token);

    public IEnumerable<IEpollTarget> Targets() => _slots.Targets();

    public IoError Control(EpollOperation operation, int fd, EpollInterest interest, ulong token) =>
        _system.EpollControl(_epoll.Number, operation, fd, interest, token);

    /// <summary>Ends a wait, or the next one. From any thread.</summary>
    public void Wake() => _wake.Signal();

    /// <param name="milliseconds">How long at most; -1 waits for ever.</param>
    /// <returns>How many events there are, for <see cref="TargetAt"/>.</returns>
    public int Wait(int milliseconds)
    {
        var count = _system.EpollWait(_epoll.Number, _events, milliseconds, out var error);
        if (error != IoError.Interrupted && !error.IsNone) Defect.Crash(error, "epoll_wait");
        return count;
    }

    /// <summary>Whether the event is that somebody has called <see cref="Wake"/>, which it takes note of.</summary>
    public bool IsWake(int index)
    {
        if (_events.TokenAt(index) != WakeToken) return false;
        _wake.OnSeen();
        return true;
    }

    /// <summary>Who is to hear of an event, or null where it is stale.</summary>
    /// <param name="index">Which event.</param>
    /// <param name="wakeups">Which wait it is of.</param>
    public IEpollTarget? TargetAt(int index, long wakeups)
    {
        var token = _events.TokenAt(index);
        var target = _slots.Find(token);
        if (target is null) _ghosts.OnStale(token, wakeups);
        return target;
    }

    public EpollInterest InterestAt(int index) => _events.InterestAt(index);

    /// <summary>
    /// Makes the set anew where a file that nobody owns keeps reporting. All or nothing: where the system has no room for a second set, the first one goes on until the ghosts are
    /// due again.
    /// </summary>
    public void RenewIfDue()
    {
        if (!_ghosts.IsDue) return;
        _ghosts.Reset();
        var number = _system.EpollCreate(out var error);
        if (!error.IsNone) return;
        var fresh = new SafeFd(_system, number);
        error = AddWake(number);
        foreach (var target in _slots.Targets())
        {
            if (error.IsNone) error = target.Join(number);
        }

        var unused = error.IsNone ? _epoll : fresh;
        if (error.IsNone) _epoll = fresh;
        unused.Dispose();
    }

    public void Dispose()
    {
        _wake.Close();
        _epoll.Dispose();
    }

    private IoError AddWake(int epoll) =>
        _system.EpollControl(epoll, EpollOperation.Add, _wake.Number, EpollInterest.Readable | EpollInterest.EdgeTriggered, WakeToken);

    private SafeFd Own(int fd, IoError error)
    {
        Check(error);
        return new SafeFd(_system, fd);
    }

    private static void Check(IoError error)
    {
        if (!error.IsNone) throw error.ToException("set up epoll");
    }
}
