using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>The listeners that wait for the system to have resources again. All rest equally long: first in, first out. Owned by the backend.</summary>
internal sealed class RestingListeners(IClock clock)
{
    private readonly Queue<(EpollListenChannel Listener, TimeSpan Due)> _resting = new();

    public TimeSpan? FirstDue => _resting.TryPeek(out var first) ? first.Due : null;

    public void Add(EpollListenChannel listener) => _resting.Enqueue((listener, clock.Now + AcceptRules.Rest));

    public void RouseDue()
    {
        if (_resting.Count == 0) return;
        var now = clock.Now;
        while (_resting.TryPeek(out var first) && first.Due <= now)
        {
            _resting.Dequeue();
            first.Listener.EndRest();
        }
    }
}
