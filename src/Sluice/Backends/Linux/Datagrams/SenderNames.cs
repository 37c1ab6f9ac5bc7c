using System.Net;
using Sluice.Backends.Linux.Addresses;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Datagrams;

/// <summary>
/// The senders that an endpoint has heard, as end points: a datagram from one of them costs no allocation. Owned by its channel.
/// </summary>
/// <remarks>
/// Bounded, because senders' addresses can be forged: when it is full it begins anew. An IP end point can be changed by whoever got it, so one is handed out again only while it says what it
/// said at first.
/// </remarks>
internal sealed class SenderNames
{
    public const int Most = 1024;

    private readonly Dictionary<DatagramAddress, EndPoint> _known = [];
    private readonly byte[] _lastBytes = new byte[SocketConstants.MaxAddressLength];
    private int _lastLength = -1;
    private DatagramAddress _lastAddress;
    private EndPoint? _last;

    /// <summary>The end point of an address that the kernel wrote, or null for a socket without a name.</summary>
    public EndPoint? Of(ReadOnlySpan<byte> name)
    {
        if (name.Length == _lastLength && name.SequenceEqual(_lastBytes.AsSpan(0, _lastLength)) && IsIntact(_last, _lastAddress)) return _last;
        var address = EndPointBytes.ToAddress(name);
        _last = address.IsNone ? EndPointBytes.ToEndPoint(name) : Find(address);
        _lastAddress = address;
        name.CopyTo(_lastBytes);
        _lastLength = name.Length;
        return _last;
    }

    private EndPoint Find(in DatagramAddress address)
    {
        if (_known.TryGetValue(address, out var known) && IsIntact(known, address)) return known;
        if (_known.Count >= Most) _known.Clear();
        return _known[address] = address.ToEndPoint()!;
    }

    // The address of a Unix socket cannot be changed.
    private static bool IsIntact(EndPoint? endPoint, in DatagramAddress address) => address.IsNone || DatagramAddress.Of(endPoint!) == address;
}
