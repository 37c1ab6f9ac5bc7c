using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Sluice;

/// <summary>How a datagram endpoint is opened, and how it behaves.</summary>
public sealed record DatagramOptions
{
    internal static DatagramOptions Default { get; } = new();

    /// <summary>
    /// The family of an endpoint without addresses, or which addresses of a name are taken: <see cref="AddressFamily.InterNetwork"/>,
    /// <see cref="AddressFamily.InterNetworkV6"/> or <see cref="AddressFamily.Unix"/>. Default: <see cref="AddressFamily.Unspecified"/>, that of the
    /// addresses. (asyncio: <c>family</c>.)
    /// </summary>
    public AddressFamily AddressFamily { get; init; }

    /// <summary>
    /// Lets several endpoints, also of other processes, share one UDP port (SO_REUSEPORT); all have to ask for it. Default: false. (asyncio:
    /// <c>reuse_port</c>.)
    /// </summary>
    public bool ReusePort { get; init; }

    /// <summary>
    /// Allows sending to broadcast addresses (SO_BROADCAST). The endpoint is then not connected: a remote address is only where datagrams go that name no
    /// receiver, and everyone's datagrams arrive. Default: false. (asyncio: <c>allow_broadcast</c>.)
    /// </summary>
    public bool AllowBroadcast { get; init; }

    /// <summary>
    /// The most bytes that may wait to be sent, 8 being counted for each datagram besides; a datagram that would exceed it is dropped, and
    /// <see cref="DatagramProtocol.ErrorReceived"/> is told. Default: 4 MiB.
    /// </summary>
    public int MaxWriteBufferSize { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Lets the system take and hand over several UDP datagrams of one size and one peer as one piece of work (UDP_SEGMENT, UDP_GRO), where it can; each stays a datagram of its own for
    /// everybody. Sending many at once costs a fifth then. Default: true.
    /// </summary>
    public bool SegmentationOffload { get; init; } = true;

    /// <summary>For a Unix path: the permissions of its file, set before anything can be sent there. Default: owner only (0600).</summary>
    public UnixFileMode UnixSocketMode { get; init; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// How many routers a multicast datagram may pass, 0 to 255: 1 stays on the local network, 0 on this machine. Null, the default: the system's, which is 1.
    /// </summary>
    public int? MulticastTimeToLive { get; init; }

    /// <summary>Whether members on this machine hear what this endpoint sends to their group. Null, the default: the system's, which is true.</summary>
    public bool? MulticastLoopback { get; init; }

    /// <summary>The index of the network interface that multicast datagrams leave through. Null, the default: as routes say.</summary>
    public int? MulticastInterface { get; init; }

    /// <summary>Whether the two are the same object. What two options say is not compared: some of it, such as a callback, cannot be.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(DatagramOptions? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
