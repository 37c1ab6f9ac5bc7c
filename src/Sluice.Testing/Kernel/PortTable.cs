using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

/// <summary>The addresses of one host that are bound, and who listens there. Owned by the host's backend.</summary>
internal sealed class PortTable(SimulatedBackend host)
{
    private const int FirstEphemeral = 32768;

    private readonly List<(EndPoint Address, bool IsShared)> _bound = [];
    private readonly List<SimulatedListenChannel> _listeners = [];
    private int _nextEphemeral = FirstEphemeral;

    /// <summary>Reserves an address to listen at; port 0 is given a free one. It can be had again where all who have it share it.</summary>
    public EndPoint Bind(EndPoint local, bool isShared)
    {
        if (local is not (IPEndPoint or UnixDomainSocketEndPoint)) throw new SocketException((int)SocketError.AddressFamilyNotSupported);
        return TryBind(local, isShared, out var bound, out var error) ? bound : throw error.ToException($"bind to {local}");
    }

    /// <summary>Reserves an address; port 0 is given a free one.</summary>
    public bool TryBind(EndPoint local, bool isShared, [NotNullWhen(true)] out EndPoint? bound, out IoError error)
    {
        bound = local is IPEndPoint { Port: 0 } any ? new IPEndPoint(any.Address, NextEphemeral()) : local;
        var wanted = bound;
        error = local is IPEndPoint ip && !IsOwn(ip.Address) ? IoError.AddressNotAvailable
            : _bound.Exists(other => Collide(other.Address, wanted) && !(isShared && other.IsShared)) ? IoError.AddressInUse
            : IoError.None;
        if (error.IsNone) _bound.Add((bound, isShared));
        else bound = null;
        return error.IsNone;
    }

    public void Release(EndPoint address) => _bound.RemoveAt(_bound.FindIndex(bound => bound.Address.Equals(address)));

    public void Listen(SimulatedListenChannel listener) => _listeners.Add(listener);

    public void Release(SimulatedListenChannel listener)
    {
        _listeners.Remove(listener);
        Release(listener.LocalName);
    }

    /// <summary>Who listens at an address of this host, or why a connect to it fails.</summary>
    public SimulatedListenChannel? FindListener(EndPoint address, out IoError error)
    {
        var sharing = _listeners.FindAll(listener => Collide(listener.LocalName, address));
        var listener = sharing.Count > 1 ? sharing[host.Network.OneOf(sharing.Count)] : sharing.FirstOrDefault();
        error = listener is not null ? IoError.None
            : address is IPEndPoint || _bound.Exists(bound => bound.Address.Equals(address)) ? IoError.ConnectionRefused
            : IoError.NoEntry;
        return listener;
    }

    public bool IsOwn(IPAddress address) =>
        IPAddress.IsLoopback(address) || host.HasAddress(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    public int NextEphemeral()
    {
        while (_bound.Exists(other => other.Address is IPEndPoint ip && ip.Port == _nextEphemeral)) _nextEphemeral++;
        return _nextEphemeral++;
    }

    private static bool Collide(EndPoint one, EndPoint other)
    {
        if (one is not IPEndPoint a || other is not IPEndPoint b) return one.Equals(other);
        return a.Port == b.Port && a.AddressFamily == b.AddressFamily &&
            (a.Address.Equals(b.Address) || IsAny(a.Address) || IsAny(b.Address));
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
