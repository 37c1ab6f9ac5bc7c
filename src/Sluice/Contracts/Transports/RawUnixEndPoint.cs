using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Unicode;

namespace Sluice;

/// <summary>
/// The name of a Unix socket as the kernel keeps it: bytes. A <see cref="UnixDomainSocketEndPoint"/> is text, which cannot say every name that a socket can have: abstract
/// names of any bytes, paths that are no UTF-8 (in Latin-1, say), and paths of 108 bytes.
/// </summary>
/// <remarks>
/// <para>Sluice itself gives one, as a peer's, a sender's or a local name, only where a <see cref="UnixDomainSocketEndPoint"/> could not say exactly that name; every other Unix name stays a
/// <see cref="UnixDomainSocketEndPoint"/>. It can be given wherever an address can: to connect, to serve, and to <see cref="IDatagramTransport.SendTo"/>, which sends to exactly these bytes. So a
/// reply to a sender reaches it, however it is called.</para>
/// <para>Two are equal where their bytes are. One is never equal to a <see cref="UnixDomainSocketEndPoint"/>, even of the same name. It cannot be changed, and any thread may use it.</para>
/// </remarks>
public sealed class RawUnixEndPoint : EndPoint
{
    /// <summary>Room for a name in <c>sockaddr_un</c>. A path may fill it: the kernel needs no terminating zero.</summary>
    private const int MaxLength = 108;

    private const int FamilySize = 2;

    private readonly byte[] _name;

    /// <summary>A name by its bytes, which are copied.</summary>
    /// <param name="name">
    /// A path, without a terminating zero, or an abstract name, whose first byte is zero and of which every byte counts. At least one byte, at most 108.
    /// </param>
    /// <exception cref="ArgumentException">It is empty, too long, or a path that holds a zero: the kernel would take what comes before for the whole.</exception>
    public RawUnixEndPoint(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) throw new ArgumentException("The name of a Unix socket has at least one byte.", nameof(name));
        if (name.Length > MaxLength) throw new ArgumentException($"The name of a Unix socket has at most {MaxLength} bytes; this one has {name.Length}.", nameof(name));
        if (name[0] != 0 && name.Contains((byte)0)) throw new ArgumentException("The path of a Unix socket cannot hold a zero.", nameof(name));
        _name = name.ToArray();
    }

    /// <summary>The bytes of the name: a path without a terminating zero, or an abstract name with its leading zero.</summary>
    public ReadOnlyMemory<byte> Name => _name;

    /// <summary>An abstract name belongs to no file: it begins with a zero byte.</summary>
    public bool IsAbstract => _name[0] == 0;

    /// <summary><see cref="AddressFamily.Unix"/>.</summary>
    public override AddressFamily AddressFamily => AddressFamily.Unix;

    /// <summary>
    /// The end point that Sluice gives for a name: a <see cref="UnixDomainSocketEndPoint"/> where one says exactly these bytes, otherwise a <see cref="RawUnixEndPoint"/>.
    /// So two end points that come from here are equal where their names are.
    /// </summary>
    /// <param name="name">As for the constructor.</param>
    /// <exception cref="ArgumentException">As for the constructor.</exception>
    public static EndPoint Of(ReadOnlySpan<byte> name)
    {
        // Text that is valid UTF-8 stands for one sequence of bytes and no other, so an end point made of it leads back to the name.
        var isText = Utf8.IsValid(name) && name.Length <= MaxLength && (name is [0, ..] || (name.Length is > 0 and < MaxLength && !name.Contains((byte)0)));
        return isText ? new UnixDomainSocketEndPoint(Encoding.UTF8.GetString(name)) : new RawUnixEndPoint(name);
    }

    /// <summary>The kernel's <c>sockaddr_un</c>: the family and the bytes of the name.</summary>
    public override SocketAddress Serialize()
    {
        var address = new SocketAddress(AddressFamily.Unix, FamilySize + _name.Length);
        _name.CopyTo(address.Buffer.Span[FamilySize..]);
        return address;
    }

    /// <summary>The end point of a <c>sockaddr_un</c>.</summary>
    /// <exception cref="ArgumentException">Another family, or no name in it.</exception>
    public override EndPoint Create(SocketAddress socketAddress)
    {
        ArgumentNullException.ThrowIfNull(socketAddress);
        if (socketAddress.Family != AddressFamily.Unix) throw new ArgumentException("The address is not one of a Unix socket.", nameof(socketAddress));
        ReadOnlySpan<byte> name = socketAddress.Buffer.Span[FamilySize..socketAddress.Size];
        return new RawUnixEndPoint(name is [not 0, ..] ? name.TrimEnd((byte)0) : name);
    }

    /// <summary>Whether the other is a <see cref="RawUnixEndPoint"/> of the same bytes.</summary>
    public override bool Equals(object? obj) => obj is RawUnixEndPoint other && _name.AsSpan().SequenceEqual(other._name);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        hash.AddBytes(_name);
        return hash.ToHashCode();
    }

    /// <summary>
    /// The name in printable ASCII, for people and logs: a leading <c>@</c> stands for the zero of an abstract name, and every byte that is no printable ASCII character, a backslash too,
    /// is written as <c>\xNN</c>.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder(_name.Length * 2);
        if (IsAbstract) text.Append('@');
        foreach (var one in _name.AsSpan(IsAbstract ? 1 : 0))
        {
            if (one is >= 0x20 and < 0x7f and not (byte)'\\') text.Append((char)one);
            else text.Append("\\x").Append(one.ToString("x2", System.Globalization.CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }
}
