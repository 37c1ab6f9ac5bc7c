using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

/// <summary>The addresses of one host that are bound, and who listens there. Owned by the host's backend.</summary>
internal sealed class PortTable(SimulatedBackend host)
{
    private const int FirstEphemeral = 32768;

    private readonly List<SimulatedListener> _bound = [];
    private int _nextEphemeral = FirstEphemeral;

    /// <summary>Frees an address to bind to: port 0 is given a free one, and a dead server's Unix socket is removed.</summary>
    /// <exception cref="SocketException">It cannot be bound.</exception>
    public EndPoint Bind(EndPoint local)
    {
        if (local is IPEndPoint ip)
        {
            if (!IsOwn(ip.Address)) throw IoError.AddressNotAvailable.ToException($"bind to {local}");
            if (ip.Port == 0) local = new IPEndPoint(ip.Address, NextEphemeral());
        }
        else if (local is not UnixDomainSocketEndPoint)
        {
            throw new SocketException((int)SocketError.AddressFamilyNotSupported);
        }

        if (SimulatedFiles.PathOf(local) is { } path) MakeRoom(path);
        else if (_bound.Exists(other => Collide(other.LocalName, local))) throw IoError.AddressInUse.ToException($"bind to {local}");
        return local;
    }

    public void Add(SimulatedListener listener) => _bound.Add(listener);

    public void Remove(SimulatedListener listener) => _bound.Remove(listener);

    /// <summary>Who listens at an address of this host, or why a connect to it fails.</summary>
    public SimulatedListener? FindListener(EndPoint address, out IoError error)
    {
        error = IoError.ConnectionRefused;
        SimulatedListener? listener;
        if (SimulatedFiles.PathOf(address) is { } path)
        {
            // A path leads to a file, and only the file to whoever has bound it.
            var file = host.Files.Find(path);
            if (file is null) error = IoError.NoEntry;
            listener = file is null ? null : _bound.Find(other => other.File == file && other.IsListening);
        }
        else
        {
            listener = _bound.Find(other => other.IsListening && Collide(other.LocalName, address));
        }

        if (listener is not null) error = IoError.None;
        return listener;
    }

    public bool IsOwn(IPAddress address) =>
        IPAddress.IsLoopback(address) || address.Equals(host.Address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    public int NextEphemeral()
    {
        while (_bound.Exists(other => other.LocalName is IPEndPoint ip && ip.Port == _nextEphemeral)) _nextEphemeral++;
        return _nextEphemeral++;
    }

    // What a bound socket holds is in use, whether or not it listens; so is whatever is no socket.
    private void MakeRoom(string path)
    {
        if (host.Files.Find(path) is not { } file) return;
        if (!file.IsSocket || _bound.Exists(other => other.File == file))
        {
            throw new SocketException((int)SocketError.AddressAlreadyInUse, $"Address '{path}' is already in use");
        }

        host.Files.Remove(path);
    }

    private static bool Collide(EndPoint one, EndPoint other)
    {
        if (one is not IPEndPoint a || other is not IPEndPoint b) return one.Equals(other);
        return a.Port == b.Port && a.AddressFamily == b.AddressFamily &&
            (a.Address.Equals(b.Address) || IsAny(a.Address) || IsAny(b.Address));
    }

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
