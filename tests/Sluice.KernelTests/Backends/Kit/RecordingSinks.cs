using System.Net;
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

/// <summary>Keeps how a connect went.</summary>
internal sealed class RecordingConnectSink : IConnectSink
{
    public StreamChannel? Channel { get; private set; }

    public IoError? Failure { get; private set; }

    public bool IsDone => Channel is not null || Failure is not null;

    public void OnConnected(StreamChannel channel) => Channel = channel;

    public void OnConnectFailed(IoError reason) => Failure = reason;
}

/// <summary>Keeps how a look-up went.</summary>
internal sealed class RecordingResolveSink : IResolveSink
{
    public IReadOnlyList<IPEndPoint>? Addresses { get; private set; }

    public Exception? Failure { get; private set; }

    public bool IsDone => Addresses is not null || Failure is not null;

    public void OnResolved(IReadOnlyList<IPEndPoint> addresses) => Addresses = addresses;

    public void OnResolveFailed(Exception reason) => Failure = reason;
}

/// <summary>Counts the reports of a watch.</summary>
internal sealed class RecordingWatchSink : IWatchSink
{
    public int Readable { get; private set; }

    public int Writable { get; private set; }

    public void OnReadable() => Readable++;

    public void OnWritable() => Writable++;
}
