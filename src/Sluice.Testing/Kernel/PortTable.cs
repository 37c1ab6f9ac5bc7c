using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel;

/// <summary>The addresses of one host that are bound, and who listens there. Owned by the machine.</summary>
internal sealed class PortTable(SimulatedMachine host)
{
    private const int FirstEphemeral = 32768;
    private const int LastEphemeral = 60999;

    private readonly List<SimulatedListener> _bound = [];
    private readonly List<EndPoint> _reserved = [];
    private int _nextEphemeral = FirstEphemeral;

    /// <summary>
    /// Finds an address to listen at: port 0 is given a free one, and a dead server's Unix socket is removed. It can be had again where all who
    /// have it share it.
    /// </summary>
    /// <exception cref="SocketException">It cannot be bound.</exception>
    public EndPoint Bind(EndPoint local, bool isShared)
    {
        if (local is not (IPEndPoint or UnixDomainSocketEndPoint or RawUnixEndPoint)) throw new SocketException((int)SocketError.AddressFamilyNotSupported);
        if (SimulatedFiles.PathOf(local) is { } path)
        {
            MakeRoom(path);
            return local;
        }

        return TryFind(local, isShared, out var free, out var error) ? free : throw error.ToException($"bind to {local}");
    }

    /// <summary>Reserves an address for a client; port 0 is given a free one.</summary>
    public bool TryReserve(EndPoint local, [NotNullWhen(true)] out EndPoint? reserved, out IoError error)
    {
        if (!TryFind(local, isShared: false, out reserved, out error)) return false;
        _reserved.Add(reserved);
        return true;
    }

    public void Release(EndPoint reserved) => _reserved.Remove(reserved);

    public IReadOnlyList<SimulatedListener> Bound => _bound;

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
            else if (host.Datagrams.Holds(file)) error = new IoError(91);
            listener = file is null ? null : _bound.Find(other => other.File == file && other.IsListening);
        }
        else
        {
            var sharing = _bound.FindAll(other => other.IsListening && Collide(other.LocalName, address));
            listener = sharing.Count > 1 ? sharing[host.Network.OneOf(sharing.Count)] : sharing.FirstOrDefault();
        }

        if (listener is not null) error = IoError.None;
        return listener;
    }

    /// <summary>The machine has crashed. Ports of clients are not given out again soon.</summary>
    public void Clear()
    {
        foreach (var listener in _bound) listener.Vanish();
        _bound.Clear();
        _reserved.Clear();
    }

    public bool IsOwn(IPAddress address) =>
        IPAddress.IsLoopback(address) || host.HasAddress(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    public int NextEphemeral()
    {
        while (IsTaken(_nextEphemeral)) _nextEphemeral = After(_nextEphemeral);
        var port = _nextEphemeral;
        _nextEphemeral = After(port);
        return port;
    }

    private bool TryFind(EndPoint local, bool isShared, [NotNullWhen(true)] out EndPoint? free, out IoError error)
    {
        var wanted = local is IPEndPoint { Port: 0 } any ? new IPEndPoint(any.Address, NextEphemeral()) : local;
        error = local is IPEndPoint ip && !IsOwn(ip.Address) ? IoError.AddressNotAvailable
            : _bound.Exists(other => Collide(other.LocalName, wanted) && !(isShared && other.IsShared)) ? IoError.AddressInUse
            : _reserved.Exists(other => Collide(other, wanted)) ? IoError.AddressInUse
            : IoError.None;
        free = error.IsNone ? wanted : null;
        return error.IsNone;
    }

    private static int After(int port) => port < LastEphemeral ? port + 1 : FirstEphemeral;

    private bool IsTaken(int port) =>
        _bound.Exists(other => other.LocalName is IPEndPoint ip && ip.Port == port) || _reserved.Exists(other => other is IPEndPoint ip && ip.Port == port);

    /// <summary>Removes the socket of a dead program from a path.</summary>
    /// <remarks>What a bound socket holds is in use, whether or not it listens; so is whatever is no socket.</remarks>
    /// <exception cref="SocketException">Something else lies there.</exception>
    public void MakeRoom(string path)
    {
        if (host.Files.Find(path) is not { } file) return;
        if (!file.IsSocket || _bound.Exists(other => other.File == file) || host.Datagrams.Holds(file))
        {
            throw new SocketException((int)SocketError.AddressAlreadyInUse, $"Address '{path}' is already in use");
        }

        host.Files.Remove(path);
    }

    /// <summary>Both cannot be bound, unless they share.</summary>
    public static bool Collide(EndPoint one, EndPoint other)
    {
        if (one is not IPEndPoint a || other is not IPEndPoint b) return one.Equals(other);
        return a.Port == b.Port && a.AddressFamily == b.AddressFamily &&
            (a.Address.Equals(b.Address) || IsAny(a.Address) || IsAny(b.Address));
    }

    public static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);
}
