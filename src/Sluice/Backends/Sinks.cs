using Sluice.Primitives;

namespace Sluice.Backends;

/// <summary>Hears how a connect went; one call, from Poll.</summary>
internal interface IConnectSink
{
    void OnConnected(StreamChannel channel);

    void OnConnectFailed(ConnectStep step, IoError reason);
}

/// <summary>Hears the answer to a question about names; one call, on the loop's thread, never within the call that asks.</summary>
internal interface ILookupSink<in TAnswer>
{
    void OnFound(TAnswer answer);

    void OnNotFound(Exception reason);
}

/// <summary>Hears of new connections on a <see cref="ListenChannel"/>.</summary>
internal interface IListenSink
{
    /// <summary>A connection was accepted. The sink owns the channel now, and attaches or closes it in this call.</summary>
    void OnAccepted(StreamChannel channel);

    /// <summary>Accepting failed. The channel goes on by itself; where the system was out of resources, after a rest.</summary>
    void OnAcceptFailed(IoError reason);

    /// <summary>All that waited has been accepted, and the channel is closed: see <see cref="ListenChannel.Finish"/>.</summary>
    void OnFinished()
    {
    }
}

/// <summary>Hears of a signal: one call for each, from Poll.</summary>
internal interface ISignalSink
{
    void OnSignal();
}

/// <summary>Hears of a descriptor's readiness, once per direction and Poll while it lasts.</summary>
internal interface IWatchSink
{
    void OnReadable();

    void OnWritable();
}
