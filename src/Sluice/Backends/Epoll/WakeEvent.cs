using Sluice.Native;

namespace Sluice.Backends.Epoll;

/// <summary>
/// Makes epoll_wait come back, from any thread. Owned by the backend. The event descriptor is watched edge-triggered, so that each
/// write is an event of its own and nobody has to read the counter, which takes 2^64 writes to fill.
/// </summary>
internal sealed class WakeEvent(Syscalls system, SafeFd fd)
{
    private readonly Lock _gate = new();
    private int _isSignalled;
    private bool _isClosed;

    public int Number => fd.Number;

    /// <summary>Written at most once until the loop has seen it. The exchange is a full fence: what the caller queued before it is seen after it.</summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref _isSignalled, 1) != 0) return;
        lock (_gate)
        {
            if (!_isClosed) system.Signal(fd.Number);
        }
    }

    /// <summary>The event was fetched: the next signal writes again.</summary>
    public void OnSeen() => Interlocked.Exchange(ref _isSignalled, 0);

    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            fd.Dispose();
        }
    }
}
