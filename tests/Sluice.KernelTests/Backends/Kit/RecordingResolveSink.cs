using System.Net;
using Sluice.Backends;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Keeps how a look-up went.</summary>
internal sealed class RecordingResolveSink : IResolveSink
{
    public IReadOnlyList<IPEndPoint>? Addresses { get; private set; }

    public Exception? Failure { get; private set; }

    public bool IsDone => Addresses is not null || Failure is not null;

    public void OnResolved(IReadOnlyList<IPEndPoint> addresses) => Addresses = addresses;

    public void OnResolveFailed(Exception reason) => Failure = reason;
}
