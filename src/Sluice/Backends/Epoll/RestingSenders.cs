using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>
/// The Unix datagram sockets that wait for a receiver to have room again, which nothing reports: they look from time to time. All rest equally long: first in, first out. Owned by the
/// backend.
/// </summary>
internal sealed class RestingSenders(IClock clock)
{
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(5);

    private readonly Queue<(EpollDatagramChannel Sender, TimeSpan Due)> _resting = new();

    public TimeSpan? FirstDue => _resting.TryPeek(out var first) ? first.Due : null;

    public void Add(EpollDatagramChannel sender) => _resting.Enqueue((sender, clock.Now + Rest));

    public void RouseDue()
    {
        if (_resting.Count == 0) return;
        var now = clock.Now;
        while (_resting.TryPeek(out var first) && first.Due <= now)
        {
            _resting.Dequeue();
            first.Sender.EndRest();
        }
    }
}
