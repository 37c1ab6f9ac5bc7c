using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>Who stands behind a slot of the backend: a channel, a listener, an operation. Called from Poll, except for Abandon.</summary>
internal interface IEpollTarget
{
    /// <summary>The descriptor is ready for some of what it was registered for, or broken.</summary>
    void OnReady(EpollInterest events);

    /// <summary>What the target had put off with <see cref="EpollBackend.Defer"/>: the truth that a call from above had to keep to itself.</summary>
    void OnDeferred(IoError error);

    /// <summary>Joins another set with what it is registered for in the present one; changes nothing else.</summary>
    IoError Join(int epoll);

    /// <summary>The backend is disposed of: close the descriptor and tell nobody.</summary>
    void Abandon();
}
