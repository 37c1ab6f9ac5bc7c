using System.Net;

namespace Sluice.Testing.Kernel.Datagrams;

/// <summary>A datagram that has arrived. Owned by its receiver.</summary>
/// <param name="Payload">The payload, whole.</param>
/// <param name="Sender">Who sent it, or null for a Unix socket without a name.</param>
internal readonly record struct SimulatedDatagram(byte[] Payload, EndPoint? Sender);
