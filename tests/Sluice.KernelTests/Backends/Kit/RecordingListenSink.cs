using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Keeps the channels that a listener hands out.</summary>
internal sealed class RecordingListenSink : IListenSink
{
    public List<StreamChannel> Accepted { get; } = [];

    public List<IoError> Failures { get; } = [];

    public Action<StreamChannel>? WhenAccepted { get; set; }

    public void OnAccepted(StreamChannel channel)
    {
        Accepted.Add(channel);
        WhenAccepted?.Invoke(channel);
    }

    public void OnAcceptFailed(IoError reason) => Failures.Add(reason);
}
