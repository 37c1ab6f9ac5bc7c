using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>
/// What the epoll set knows about one descriptor, so that a call is made only where something changes. A struct inside its target,
/// which names the backend and the descriptor at each call: every connection has one, and its bytes count.
/// </summary>
internal struct EpollRegistration(ulong token)
{
    private readonly ulong _token = token;
    private EpollInterest _armed;
    private bool _isInSet;

    public readonly ulong Token => _token;

    public readonly EpollInterest Armed => _armed;

    /// <summary>Asks for exactly these events. For none, the descriptor leaves the set: errors are reported to whoever is in it.</summary>
    /// <returns>An error only where the descriptor had to join the set: the system may be out of memory, or it cannot be watched.</returns>
    public IoError Arm(EpollBackend backend, int fd, EpollInterest interest)
    {
        if (interest == EpollInterest.None)
        {
            Leave(backend, fd);
            return IoError.None;
        }

        if (_isInSet && _armed == interest) return IoError.None;
        var error = backend.Control(_isInSet ? EpollOperation.Modify : EpollOperation.Add, fd, interest, _token);
        if (!error.IsNone)
        {
            if (_isInSet) Defect.Crash(error, "epoll_ctl");
            return error;
        }

        _isInSet = true;
        _armed = interest;
        return IoError.None;
    }

    /// <summary>A one-shot event has come: the descriptor stays in the set, silent.</summary>
    public void OnOneShot() => _armed = EpollInterest.None;

    /// <summary>Joins another set with the same interest.</summary>
    public readonly IoError Join(EpollBackend backend, int epoll, int fd) =>
        _isInSet ? backend.System.EpollControl(epoll, EpollOperation.Add, fd, _armed, _token) : IoError.None;

    /// <summary>
    /// Leaves the set. Before the close, where others may hold the open file: the kernel watches the file, not the number, and theirs would
    /// keep it reporting.
    /// </summary>
    public void Leave(EpollBackend backend, int fd)
    {
        if (!_isInSet) return;
        _isInSet = false;
        _armed = EpollInterest.None;
        Defect.CrashOn(backend.Control(EpollOperation.Remove, fd, EpollInterest.None, _token), "epoll_ctl");
    }
}
