using System.Net;
using System.Runtime.CompilerServices;
using Sluice.Native;

namespace Sluice.Backends.Linux.Addresses;

/// <summary>
/// The address of a peer, kept inline in its channel as the kernel wrote it: most servers never ask, and an end point would cost each
/// connection two objects.
/// </summary>
internal struct PeerAddress
{
    private readonly Bytes _bytes;
    private readonly byte _length;
    private EndPoint? _endPoint;

    public PeerAddress(ReadOnlySpan<byte> address)
    {
        // A Unix peer nearly always has no name. One that has is rare enough to be turned into an object at once.
        if (address.Length > Bytes.Size || EndPointBytes.FamilyOf(address) == SocketConstants.FamilyUnix)
        {
            _endPoint = EndPointBytes.ToEndPoint(address);
            return;
        }

        address.CopyTo(_bytes);
        _length = (byte)address.Length;
    }

    /// <summary>The end point, made when first asked for; null for a peer without a name.</summary>
    public EndPoint? EndPoint => _endPoint ??= EndPointBytes.ToEndPoint(((ReadOnlySpan<byte>)_bytes)[.._length]);

    /// <summary>As large as an IPv6 address.</summary>
    [InlineArray(Size)]
    private struct Bytes
    {
        public const int Size = 28;

        private byte _first;
    }
}
