using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sluice.Names;

/// <summary>The rules for addresses of Unix sockets, which are checked at the call. Stateless.</summary>
internal static class UnixAddress
{
    private const int FamilySize = 2;

    /// <summary>Room for a path in sockaddr_un, without its terminating zero.</summary>
    private const int MaxPathLength = 107;

    /// <summary>The address of a path, or of an abstract name, which begins with a zero character.</summary>
    /// <exception cref="ArgumentException">It is empty or too long, or a path holds a zero character.</exception>
    public static UnixDomainSocketEndPoint Of(string path, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(path, parameter);
        var length = Encoding.UTF8.GetByteCount(path);
        var most = path[0] == 0 ? MaxPathLength + 1 : MaxPathLength;
        if (length > most) throw TooLong(length, parameter);
        var address = new UnixDomainSocketEndPoint(path);
        Check(address, parameter);
        return address;
    }

    /// <summary>Refuses a path that has no room for its terminating zero, or holds a zero: the kernel would take what comes before for the whole.</summary>
    public static void Check(UnixDomainSocketEndPoint address, string parameter)
    {
        var bytes = NameOf(address);
        if (bytes.IsEmpty || bytes[0] == 0) return;
        if (bytes[^1] == 0) bytes = bytes[..^1];
        if (bytes.Length > MaxPathLength) throw TooLong(bytes.Length, parameter);
        if (bytes.Contains((byte)0)) throw new ArgumentException("The path of a Unix socket cannot hold a zero character.", parameter);
    }

    /// <summary>Whether it is the name of a Unix socket, as text or as bytes.</summary>
    public static bool Is(EndPoint? address) => address is UnixDomainSocketEndPoint or RawUnixEndPoint;

    /// <summary>An abstract name has no file and no permissions.</summary>
    public static bool IsAbstract(EndPoint address) => NameOf(address) is [0, ..];

    private static ArgumentException TooLong(int length, string parameter) => new(
        $"The path of a Unix socket holds at most {MaxPathLength} bytes, and an abstract name as many behind its zero; this one has {length} bytes.", parameter);

    private static ReadOnlySpan<byte> NameOf(EndPoint address)
    {
        var serialized = address.Serialize();
        return serialized.Buffer.Span[FamilySize..serialized.Size];
    }
}
