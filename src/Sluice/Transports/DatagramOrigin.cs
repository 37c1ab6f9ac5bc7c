using System.Net;

namespace Sluice.Transports;

/// <summary>Where a datagram transport comes from: what the loop gives it at birth.</summary>
/// <param name="Set">The live endpoints that it joins until ConnectionLost has returned.</param>
/// <param name="Options">The limits that hold for it.</param>
/// <param name="Context">The ExecutionContext of its callbacks; null is the default one.</param>
/// <param name="Waiter">Who waits for ConnectionMade, or null.</param>
/// <param name="DefaultReceiver">Where an endpoint that is not connected sends what names no receiver, or null.</param>
internal readonly record struct DatagramOrigin(
    HashSet<DatagramTransport> Set, DatagramOptions Options, ExecutionContext? Context, IEndpointWaiter? Waiter, EndPoint? DefaultReceiver);

/// <summary>Hears that ConnectionMade has been called: an endpoint's opening that is to complete.</summary>
internal interface IEndpointWaiter
{
    void OnStarted(DatagramTransport transport);
}
