using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Addresses;

/// <summary>Turns end points into the kernel's addresses and back. Stateless.</summary>
/// <remarks>
/// What the kernel reports was chosen by a stranger: any bytes, of any family, and a length that need not fit either. So the way from the kernel never throws. What is no address that
/// Sluice knows is none at all (null).
/// </remarks>
internal static class EndPointBytes
{
    private const int FamilySize = sizeof(ushort);
    private const int InetSize = 16;
    private const int Inet6Size = 28;
    private const int Inet6ScopeOffset = 24;

    /// <summary>The shortest addresses that hold what is read of them: family, port and IP address. The kernel's are longer.</summary>
    private const int InetLeast = 8;
    private const int Inet6Least = 24;

    /// <summary>The kernel's form of an address.</summary>
    /// <exception cref="ArgumentException">No address of a stream socket, or a Unix path that does not fit.</exception>
    public static ReadOnlySpan<byte> Of(EndPoint endPoint)
    {
        if (endPoint is not (IPEndPoint or UnixDomainSocketEndPoint or RawUnixEndPoint))
        {
            throw new ArgumentException(
                $"{endPoint.GetType().Name} is no address that a stream socket can have: resolve names first.", nameof(endPoint));
        }

        // .NET keeps its serialized addresses in the kernel's own layout.
        var serialized = endPoint.Serialize();
        var bytes = serialized.Buffer.Span[..serialized.Size];
        if (endPoint is UnixDomainSocketEndPoint && IsPath(bytes) && bytes[FamilySize..].TrimEnd((byte)0).Length >= SocketConstants.UnixPathLength)
        {
            throw new ArgumentException(
                $"The path of a Unix socket holds at most {SocketConstants.UnixPathLength - 1} bytes.", nameof(endPoint));
        }

        return bytes;
    }

    public static int FamilyOf(ReadOnlySpan<byte> address) =>
        address.Length < FamilySize ? 0 : BitConverter.ToUInt16(address);

    /// <summary>The file's path in a Unix address, or null where it has another family, is abstract, or has no name.</summary>
    public static UnixPath? PathOf(ReadOnlySpan<byte> address) => IsPath(address) ? new UnixPath(NameOf(address)) : null;

    /// <summary>
    /// The end point of an address that the kernel wrote, or null for a Unix socket without a name and for what is no address of a family known here. A Unix name that is no text of
    /// .NET's is a <see cref="RawUnixEndPoint"/>.
    /// </summary>
    public static EndPoint? ToEndPoint(ReadOnlySpan<byte> address) =>
        FamilyOf(address) == SocketConstants.FamilyUnix ? ToUnixEndPoint(NameOf(address)) : ToAddress(address).ToEndPoint();

    /// <summary>An IP address that the kernel wrote, as a value; none for those of other families, and for what is too short to be one.</summary>
    public static DatagramAddress ToAddress(ReadOnlySpan<byte> address) => FamilyOf(address) switch
    {
        SocketConstants.FamilyInet when address.Length >= InetLeast => DatagramAddress.OfIP(address.Slice(4, 4), (ushort)PortOf(address)),
        SocketConstants.FamilyInet6 when address.Length >= Inet6Least => DatagramAddress.OfIP(
            address.Slice(8, 16), (ushort)PortOf(address), address.Length < Inet6Size ? 0 : BitConverter.ToUInt32(address[Inet6ScopeOffset..])),
        _ => default,
    };

    /// <summary>Writes an IP address in the kernel's form.</summary>
    /// <returns>Its length.</returns>
    public static int Write(in DatagramAddress address, Span<byte> target)
    {
        var isInet6 = address.Family == AddressFamily.InterNetworkV6;
        var bytes = target[..(isInet6 ? Inet6Size : InetSize)];
        bytes.Clear();
        BitConverter.TryWriteBytes(bytes, (ushort)(isInet6 ? SocketConstants.FamilyInet6 : SocketConstants.FamilyInet));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[FamilySize..], address.Port);
        address.CopyAddressTo(bytes[(isInet6 ? 8 : 4)..]);
        if (isInet6) BitConverter.TryWriteBytes(bytes[Inet6ScopeOffset..], address.ScopeId);
        return bytes.Length;
    }

    private static int PortOf(ReadOnlySpan<byte> address) => BinaryPrimitives.ReadUInt16BigEndian(address[FamilySize..]);

    // An abstract name begins with a zero byte, and every byte of it counts.
    private static bool IsPath(ReadOnlySpan<byte> address) =>
        FamilyOf(address) == SocketConstants.FamilyUnix && address.Length > FamilySize && address[FamilySize] != 0;

    // A path ends at its zero, which a path of full length has no room for.
    private static ReadOnlySpan<byte> NameOf(ReadOnlySpan<byte> address)
    {
        var name = address[FamilySize..];
        if (name.Length > SocketConstants.UnixPathLength) name = name[..SocketConstants.UnixPathLength];
        var end = name.IndexOf((byte)0);
        return end > 0 ? name[..end] : name;
    }

    private static EndPoint? ToUnixEndPoint(ReadOnlySpan<byte> name) => name.IsEmpty ? null : RawUnixEndPoint.Of(name);
}
