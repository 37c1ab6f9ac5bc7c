namespace Sluice.Transports;

/// <summary>Where a transport comes from: what a server or a connect gives it at birth.</summary>
/// <param name="Set">The live connections that it joins until ConnectionLost has returned.</param>
/// <param name="Options">The limits that hold for it.</param>
/// <param name="Context">The ExecutionContext of its callbacks; null is the default one.</param>
/// <param name="Waiter">Who waits for ConnectionMade, or null.</param>
internal readonly record struct TransportOrigin(ConnectionSet Set, StreamOptions Options, ExecutionContext? Context, IStartWaiter? Waiter);

/// <summary>Hears that ConnectionMade has been called: a connect that is to complete.</summary>
internal interface IStartWaiter
{
    void OnStarted(StreamTransport transport);
}
