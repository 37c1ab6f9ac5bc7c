using System.Net;

namespace Sluice.Testing;

/// <summary>A packet that is about to leave, as the rules of <see cref="Simulation.AddRule"/> see it.</summary>
/// <param name="From">The host that sends it.</param>
/// <param name="To">The host that it is for; the same one over a loopback address.</param>
/// <param name="Source">The address and port that it comes from.</param>
/// <param name="Destination">The address and port that it goes to.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Length">How many bytes of the stream it carries, all that the kernel took in one go, for there are no segments; or how long the datagram is.</param>
/// <param name="Time">The virtual time.</param>
public readonly record struct PacketInfo(
    SimulatedHost From, SimulatedHost To, EndPoint Source, EndPoint Destination, PacketKind Kind, int Length, TimeSpan Time);
