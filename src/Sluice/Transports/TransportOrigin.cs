namespace Sluice.Transports;

/// <summary>Where a transport comes from: what a server or a connect gives it at birth.</summary>
/// <param name="Set">The live connections that it joins until ConnectionLost has returned.</param>
/// <param name="Options">The limits that hold for it.</param>
/// <param name="Context">The ExecutionContext of its callbacks; null is the default one.</param>
/// <param name="Waiter">Who waits for ConnectionMade, or null.</param>
/// <param name="Birth">When its life begins.</param>
/// <param name="IsPaused">Its protocol has been told to pause writing by the transport before.</param>
internal readonly record struct TransportOrigin(
    ConnectionSet Set, StreamOptions Options, ExecutionContext? Context, IStartWaiter? Waiter, Birth Birth = Birth.AtOnce, bool IsPaused = false);

/// <summary>When a transport's life begins.</summary>
internal enum Birth : byte
{
    /// <summary>In a turn of its own behind its making: ConnectionMade.</summary>
    AtOnce,

    /// <summary>When its channel is ready (<see cref="StreamTransport.Begin"/>): ConnectionMade comes then, and nothing before.</summary>
    WhenReady,

    /// <summary>Before: it carries on a connection whose ConnectionMade has been called. It reads when its channel is ready.</summary>
    Before,
}

/// <summary>Hears that ConnectionMade has been called, or will not be: a connect that is to complete, a server that counts.</summary>
internal interface IStartWaiter
{
    void OnStarted(StreamTransport transport);

    /// <summary>The channel did not become ready: the transport is gone, and the protocol has heard nothing that it should not. Only of one that waits for that.</summary>
    void OnFailed(Exception reason)
    {
    }

    /// <summary>Somebody closed the transport before that, or the loop ended.</summary>
    void OnAbandoned()
    {
    }
}
