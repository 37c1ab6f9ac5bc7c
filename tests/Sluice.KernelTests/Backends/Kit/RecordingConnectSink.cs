using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Keeps how a connect went.</summary>
internal sealed class RecordingConnectSink : IConnectSink
{
    public StreamChannel? Channel { get; private set; }

    public IoError? Failure { get; private set; }

    public ConnectStep? FailedStep { get; private set; }

    public bool IsDone => Channel is not null || Failure is not null;

    public void OnConnected(StreamChannel channel) => Channel = channel;

    public void OnConnectFailed(ConnectStep step, IoError reason)
    {
        FailedStep = step;
        Failure = reason;
    }
}
