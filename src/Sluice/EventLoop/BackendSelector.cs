using Sluice.Backends;
using Sluice.Backends.Epoll;

namespace Sluice;

/// <summary>The composition root: the only place that names backends.</summary>
internal static class BackendSelector
{
    /// <exception cref="PlatformNotSupportedException">The backend does not exist on this system.</exception>
    public static IoBackend Create(EventLoopOptions options)
    {
        if (options.Backend is not (LoopBackend.Auto or LoopBackend.Epoll))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Backend, "There is no such backend.");
        }

        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("This version runs on Linux only.");
        return new EpollBackend();
    }
}
