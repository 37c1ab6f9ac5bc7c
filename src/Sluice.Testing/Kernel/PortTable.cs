using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

/// <summary>The addresses of one host that are bound, and who listens there. Owned by the host's backend.</summary>
internal sealed class PortTable(SimulatedBackend host)
{
    private const int FirstEphemeral = 32768;

    private readonly List<EndPoint> _bound = [];
    private readonly List<SimulatedListenChannel> _listeners = [];
    private int _nextEphemeral = FirstEphemeral;

    /// <summary>Reserves an address to listen at; port 0 is given a free one.</summary>
    public EndPoint Bind(EndPoint local)
    {
        if (local is not (IPEndPoint or UnixDomainSocketEndPoint)) throw new SocketException((int)SocketError.AddressFamilyNotSupported);
        return TryBind(local, out var bound, out var error) ? bound : throw error.ToException($"bind to {local}");
    }

    /// <summary>Reserves an address; port 0 is given a free one.</summary>
    public bool TryBind(EndPoint local, [NotNullWhen(true)] out EndPoint? bound, out IoError error)
    {
        bound = local is IPEndPoint { Port: 0 } any ? new IPEndPoint(any.Address, NextEphemeral()) : local;
        var wanted = bound;
        error = local is IPEndPoint ip && !IsOwn(ip.Address) ? IoError.AddressNotAvailable
            : _bound.Exists(other => Collide(other, wanted)) ? IoError.AddressInUse
            : IoError.None;
        if (error.IsNone) _bound.Add(bound);
        else bound = null;
        return error.IsNone;
    }

    public void Release(EndPoint bound) => _bound.Remove(bound);

    public void Listen(SimulatedListenChannel listener) => _listeners.Add(listener);

    public void Release(SimulatedListenChannel listener)
    {
        _listeners.Remove(listener);
        _bound.Remove(listener.LocalName);
    }

    /// <summary>Who listens at an address of this host, or why a connect to it fails.</summary>
    public SimulatedListenChannel? FindListener(EndPoint address, out IoError error)
    {
        var listener = _listeners.Find(listener => Collide(listener.LocalName, address));
        error = listener is not null ? IoError.None
            : address is IPEndPoint || _bound.Contains(address) ? IoError.ConnectionRefused
            : IoError.NoEntry;
        return listener;
    }

    public bool IsOwn(IPAddress address) =>
        IPAddress.IsLoopback(address) || host.HasAddress(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    public int NextEphemeral()
    {
        while (_bound.Exists(other => other is IPEndPoint ip && ip.Port == _nextEphemeral)) _nextEphemeral++;
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
