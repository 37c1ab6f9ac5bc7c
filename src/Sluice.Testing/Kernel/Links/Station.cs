using System.Net;

namespace Sluice.Testing.Kernel.Links;

/// <summary>Where a packet comes from or goes to.</summary>
/// <param name="Machine">The host.</param>
/// <param name="Name">The address and port; null for a Unix socket without a name.</param>
internal readonly record struct Station(SimulatedMachine Machine, EndPoint? Name);
