using System.Net;

namespace Sluice.Testing;

/// <summary>A datagram as a <see cref="RecordingDatagramProtocol"/> got it.</summary>
/// <param name="Data">A copy of the payload.</param>
/// <param name="Address">Who sent it, as the transport said; null for a Unix socket without a name.</param>
public sealed record RecordedDatagram(ReadOnlyMemory<byte> Data, EndPoint? Address);
