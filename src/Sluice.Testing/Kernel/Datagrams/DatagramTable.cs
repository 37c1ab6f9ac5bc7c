using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Datagrams;

/// <summary>The datagram sockets of one host that have an address, and who of them gets what arrives. Owned by the machine.</summary>
internal sealed class DatagramTable(SimulatedMachine host)
{
    private const int FirstEphemeral = 32768;
    private const int LastEphemeral = 60999;

    private readonly List<SimulatedDatagramSocket> _bound = [];
    private int _nextEphemeral = FirstEphemeral;

    /// <summary>Gives a socket an address: port 0 becomes a free one, and a Unix socket that nobody holds any more is removed from its path.</summary>
    /// <exception cref="SocketException">It cannot be bound.</exception>
    public EndPoint Bind(SimulatedDatagramSocket socket, EndPoint local)
    {
        if (SimulatedFiles.PathOf(local) is { } path) host.Ports.MakeRoom(path);
        var wanted = local is IPEndPoint { Port: 0 } any ? new IPEndPoint(any.Address, NextEphemeral(any.AddressFamily)) : local;
        var error = wanted is IPEndPoint ip && !host.Ports.IsOwn(ip.Address) && !DatagramAim.IsForMany(ip.Address) ? IoError.AddressNotAvailable
            : SimulatedFiles.PathOf(local) is null && _bound.Exists(other => PortTable.Collide(other.LocalName!, wanted) && !(socket.IsShared && other.IsShared)) ? IoError.AddressInUse
            : IoError.None;
        if (!error.IsNone) throw error.ToException($"bind to {local}");
        if (!_bound.Contains(socket)) _bound.Add(socket);
        return wanted;
    }

    public void Remove(SimulatedDatagramSocket socket) => _bound.Remove(socket);

    /// <summary>Somebody has bound the file.</summary>
    public bool Holds(SimulatedFile file) => _bound.Exists(socket => socket.File == file);

    /// <summary>The machine has crashed.</summary>
    public void Clear() => _bound.Clear();

    /// <summary>Whose a Unix address is, or why nothing can be sent there.</summary>
    public SimulatedDatagramSocket? FindUnix(EndPoint address, out IoError error)
    {
        error = IoError.ConnectionRefused;
        SimulatedDatagramSocket? found;
        if (SimulatedFiles.PathOf(address) is { } path)
        {
            var file = host.Files.Find(path);
            found = file is null ? null : _bound.Find(socket => socket.File == file);
            if (file is null) error = IoError.NoEntry;
            else if (host.Ports.Bound.Any(listener => listener.File == file)) error = new IoError(91);
        }
        else
        {
            found = _bound.Find(socket => address.Equals(socket.LocalName));
        }

        if (found is not null) error = IoError.None;
        return found;
    }

    /// <summary>Who gets a datagram: whoever is connected to its sender before all others, a bound address before the wildcard, one of those that share a port.</summary>
    public SimulatedDatagramSocket? Find(IPEndPoint address, EndPoint sender, KernelDice dice)
    {
        var best = 0;
        List<SimulatedDatagramSocket> equals = [];
        foreach (var socket in _bound)
        {
            var fit = FitOf(socket, address, sender);
            if (fit == 0 || fit < best) continue;
            if (fit > best) equals.Clear();
            best = fit;
            equals.Add(socket);
        }

        return equals.Count > 1 ? equals[dice.Below(equals.Count)] : equals.FirstOrDefault();
    }

    /// <summary>Everyone who gets a datagram that is for all, or for the members of a group.</summary>
    public SimulatedDatagramSocket[] FindAll(IPEndPoint address, IPEndPoint sender) =>
    [
        .. _bound.Where(socket => FitOf(socket, address, sender) > 0 && (DatagramAim.IsBroadcast(address.Address) || socket.IsMember(address.Address, sender.Address))),
    ];

    /// <summary>The address from which a socket sends, or null where no way leads from its own.</summary>
    public IPEndPoint? SourceFor(SimulatedDatagramSocket socket, IPEndPoint to, out IoError error)
    {
        var local = (IPEndPoint)socket.LocalName!;
        var isLoopback = IPAddress.IsLoopback(to.Address) || to.Address.Equals(DatagramAim.OwnBroadcast) || to.Address.Equals(IPAddress.Any) || to.Address.Equals(IPAddress.IPv6Any);
        error = IPAddress.IsLoopback(local.Address) && !isLoopback && !host.HasAddress(to.Address) ? IoError.InvalidArgument : IoError.None;
        if (!error.IsNone) return null;
        if (!PortTable.IsAny(local.Address)) return local;
        var address = !isLoopback ? host.AddressOf(socket.Family) : socket.Family == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Loopback : IPAddress.Loopback;
        return new IPEndPoint(address, local.Port);
    }

    private static int FitOf(SimulatedDatagramSocket socket, IPEndPoint address, EndPoint sender)
    {
        if (socket.LocalName is not IPEndPoint local || local.Port != address.Port || local.AddressFamily != address.AddressFamily) return 0;
        if (socket.IsConnected && !sender.Equals(socket.PeerName)) return 0;
        var isExact = local.Address.Equals(address.Address);
        if (!isExact && !PortTable.IsAny(local.Address)) return 0;
        return 1 + (isExact ? 1 : 0) + (socket.IsConnected ? 2 : 0);
    }

    private int NextEphemeral(AddressFamily family)
    {
        while (_bound.Exists(socket => socket.LocalName is IPEndPoint ip && ip.Port == _nextEphemeral && ip.AddressFamily == family)) _nextEphemeral = After(_nextEphemeral);
        var port = _nextEphemeral;
        _nextEphemeral = After(port);
        return port;
    }

    private static int After(int port) => port < LastEphemeral ? port + 1 : FirstEphemeral;
}
