using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Addresses;

/// <summary>Turns end points into the kernel's addresses and back. Stateless.</summary>
internal static class EndPointBytes
{
    private const int FamilySize = sizeof(ushort);
    private const int InetSize = 16;
    private const int Inet6Size = 28;
    private const int Inet6ScopeOffset = 24;

    /// <summary>The kernel's form of an address.</summary>
    /// <exception cref="ArgumentException">No address of a stream socket, or a Unix path that does not fit.</exception>
    public static ReadOnlySpan<byte> Of(EndPoint endPoint)
    {
        if (endPoint is not (IPEndPoint or UnixDomainSocketEndPoint))
        {
            throw new ArgumentException(
                $"{endPoint.GetType().Name} is no address that a stream socket can have: resolve names first.", nameof(endPoint));
        }

        // .NET keeps its serialized addresses in the kernel's own layout.
        var serialized = endPoint.Serialize();
        var bytes = serialized.Buffer.Span[..serialized.Size];
        if (IsPath(bytes) && bytes[FamilySize..].TrimEnd((byte)0).Length >= SocketConstants.UnixPathLength)
        {
            throw new ArgumentException(
                $"The path of a Unix socket holds at most {SocketConstants.UnixPathLength - 1} bytes.", nameof(endPoint));
        }

        return bytes;
    }

    public static int FamilyOf(ReadOnlySpan<byte> address) =>
        address.Length < FamilySize ? 0 : BitConverter.ToUInt16(address);

    /// <summary>The file's path in a Unix address, or null where it has another family, is abstract, or has no name.</summary>
    public static string? PathOf(ReadOnlySpan<byte> address) => IsPath(address) ? PathText(address[FamilySize..]) : null;

    /// <summary>The end point of an address that the kernel wrote, or null for a Unix socket without a name.</summary>
    public static EndPoint? ToEndPoint(ReadOnlySpan<byte> address) => FamilyOf(address) switch
    {
        SocketConstants.FamilyInet => new IPEndPoint(new IPAddress(address.Slice(4, 4)), PortOf(address)),
        SocketConstants.FamilyInet6 => new IPEndPoint(
            new IPAddress(address.Slice(8, 16), BitConverter.ToUInt32(address[Inet6ScopeOffset..Inet6Size])), PortOf(address)),
        SocketConstants.FamilyUnix when address.Length > FamilySize => new UnixDomainSocketEndPoint(
            IsPath(address) ? PathText(address[FamilySize..]) : Encoding.UTF8.GetString(address[FamilySize..])),
        _ => null,
    };

    /// <summary>An IP address that the kernel wrote, as a value; none for those of other families.</summary>
    public static DatagramAddress ToAddress(ReadOnlySpan<byte> address) => FamilyOf(address) switch
    {
        SocketConstants.FamilyInet => DatagramAddress.OfIP(address.Slice(4, 4), (ushort)PortOf(address)),
        SocketConstants.FamilyInet6 => DatagramAddress.OfIP(
            address.Slice(8, 16), (ushort)PortOf(address), BitConverter.ToUInt32(address[Inet6ScopeOffset..Inet6Size])),
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

    private static string PathText(ReadOnlySpan<byte> path)
    {
        var end = path.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? path : path[..end]);
    }
}
