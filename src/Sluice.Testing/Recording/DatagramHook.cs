using System.Net;

namespace Sluice.Testing;

/// <summary>What a recording protocol does in DatagramReceived.</summary>
/// <param name="data">The payload, good until the hook returns.</param>
/// <param name="address">The sender, or null for a Unix socket without a name.</param>
public delegate void DatagramHook(ReadOnlySpan<byte> data, EndPoint? address);
