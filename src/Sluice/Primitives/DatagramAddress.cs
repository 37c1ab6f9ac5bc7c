using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Sluice.Primitives;

/// <summary>
/// The address of a datagram as a value: end points can be changed by whoever holds them, and making one allocates. None, the default, is that of a Unix socket
/// without a name, or of a datagram that goes to the only peer.
/// </summary>
internal readonly record struct DatagramAddress
{
    private const int Inet6Length = 16;

    private readonly ulong _high;
    private readonly ulong _low;

    private DatagramAddress(IPAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[Inet6Length];
        bytes.Clear();
        address.TryWriteBytes(bytes, out _);
        (_high, _low) = (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        Family = address.AddressFamily;
        Port = (ushort)port;
        if (Family == AddressFamily.InterNetworkV6) ScopeId = (uint)address.ScopeId;
    }

    private DatagramAddress(ReadOnlySpan<byte> address, ushort port, uint scopeId)
    {
        Span<byte> bytes = stackalloc byte[Inet6Length];
        bytes.Clear();
        address.CopyTo(bytes);
        (_high, _low) = (BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
        Family = address.Length == Inet6Length ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        Port = port;
        ScopeId = scopeId;
    }

    private DatagramAddress(EndPoint unix)
    {
        Family = AddressFamily.Unix;
        Unix = unix;
    }

    /// <summary><see cref="AddressFamily.Unspecified"/> for none.</summary>
    public AddressFamily Family { get; }

    public ushort Port { get; }

    public uint ScopeId { get; }

    /// <summary>The name of a Unix socket, which cannot be changed.</summary>
    public EndPoint? Unix { get; }

    public bool IsNone => Family == AddressFamily.Unspecified;

    /// <exception cref="ArgumentException">Neither an IP address nor a Unix one, or a Unix one that the kernel would read otherwise.</exception>
    public static DatagramAddress Of(EndPoint endPoint) => endPoint switch
    {
        IPEndPoint ip => new DatagramAddress(ip.Address, ip.Port),
        UnixDomainSocketEndPoint unix => new DatagramAddress(ByName(unix)),
        RawUnixEndPoint raw => new DatagramAddress(RawUnixEndPoint.Of(raw.Name.Span)),
        _ => throw new ArgumentException($"{endPoint.GetType().Name} is no address that a datagram can go to: resolve names first.", nameof(endPoint)),
    };

    /// <summary>An IP address by its bytes: 4 or 16.</summary>
    public static DatagramAddress OfIP(ReadOnlySpan<byte> address, ushort port, uint scopeId = 0) => new(address, port, scopeId);

    /// <summary>The bytes of the IP address: 4 or 16.</summary>
    /// <returns>How many.</returns>
    public int CopyAddressTo(Span<byte> target)
    {
        var length = Family == AddressFamily.InterNetwork ? 4 : Inet6Length;
        Span<byte> bytes = stackalloc byte[Inet6Length];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _low);
        bytes[..length].CopyTo(target);
        return length;
    }

    /// <summary>A new end point of its own, or null for none.</summary>
    public EndPoint? ToEndPoint()
    {
        if (Unix is not null) return Unix;
        if (IsNone) return null;
        Span<byte> bytes = stackalloc byte[Inet6Length];
        var length = CopyAddressTo(bytes);
        var address = Family == AddressFamily.InterNetwork ? new IPAddress(bytes[..length]) : new IPAddress(bytes[..length], ScopeId);
        return new IPEndPoint(address, Port);
    }

    public override string ToString() => ToEndPoint()?.ToString() ?? "(no name)";

    // .NET's receives make end points of any bytes, which they keep, but they compare the text: the name decides.
    private static EndPoint ByName(UnixDomainSocketEndPoint unix)
    {
        const int FamilySize = sizeof(ushort);
        var address = unix.Serialize();
        ReadOnlySpan<byte> name = address.Buffer.Span[FamilySize..address.Size];
        var canonical = RawUnixEndPoint.Of(name is [0, ..] ? name : name.TrimEnd((byte)0));
        return canonical.Equals(unix) ? unix : canonical;
    }
}
