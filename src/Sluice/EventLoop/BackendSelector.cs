using Sluice.Backends;

namespace Sluice;

/// <summary>The composition root: the only place that names backends.</summary>
internal static class BackendSelector
{
    public static IoBackend Create(EventLoopOptions options) => throw new PlatformNotSupportedException(options.Backend.ToString());
}
