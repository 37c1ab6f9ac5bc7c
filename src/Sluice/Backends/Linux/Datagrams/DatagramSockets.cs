using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.UnixFiles;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux.Datagrams;

/// <summary>Makes datagram sockets and takes over those of others. Each descriptor has its owner from its first moment. Stateless.</summary>
internal static class DatagramSockets
{
    /// <summary>An open socket, bound and connected as asked for, and its file where it has one.</summary>
    /// <exception cref="SocketException">The kernel refuses; nothing is left open.</exception>
    public static SafeFd Open(Syscalls system, AddressFamily family, EndPoint? local, EndPoint? remote, DatagramOptions options, out UnixSocketFile? file)
    {
        file = null;
        var localBytes = local is null ? default : EndPointBytes.Of(local);
        var remoteBytes = remote is null ? default : EndPointBytes.Of(remote);
        var number = system.DatagramSocket(NumberOf(family), out var error);
        if (!error.IsNone) throw error.ToException("open a datagram socket");
        var socket = new SafeFd(system, number);
        try
        {
            SetOptions(system, number, family, options);
            if (EndPointBytes.PathOf(localBytes) is { } path) file = UnixSocketFile.BindDatagram(system, number, path, localBytes, options.UnixSocketMode);
            else if (local is not null) Check(system.Bind(number, localBytes), $"error while attempting to bind on address {local}");
            if (remote is not null) Check(system.Connect(number, remoteBytes), $"connect to {remote}");
            return socket;
        }
        catch
        {
            file?.Remove();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Takes over a datagram socket; see <see cref="SocketFactory.TakeOver"/>.</summary>
    /// <exception cref="SocketException">It is none, or there is no descriptor to spare. It is closed.</exception>
    public static SafeFd TakeOver(Syscalls system, SafeHandle owner)
    {
        var socket = SocketFactory.TakeOver(system, owner);
        var type = system.GetOption(socket.Number, SocketConstants.LevelSocket, SocketConstants.OptionType, out var error);
        if (error.IsNone && type == SocketConstants.TypeDatagram) return socket;
        socket.Dispose();
        throw error.IsNone ? new SocketException((int)SocketError.SocketNotSupported, "The socket is no datagram socket.") : error.ToException("take over a socket");
    }

    /// <summary>Begins or ends a membership: the options that know both families.</summary>
    public static IoError SetMembership(Syscalls system, int fd, bool join, IPAddress group, int interfaceIndex, IPAddress? source)
    {
        // struct group_req and group_source_req: an index, then one or two sockaddr_storage at the alignment of a long.
        const int First = 8;
        const int Storage = 128;
        Span<byte> request = stackalloc byte[First + 2 * Storage];
        request.Clear();
        BitConverter.TryWriteBytes(request, interfaceIndex);
        EndPointBytes.Write(DatagramAddress.Of(new IPEndPoint(group, 0)), request[First..]);
        if (source is not null) EndPointBytes.Write(DatagramAddress.Of(new IPEndPoint(source, 0)), request[(First + Storage)..]);
        var level = group.AddressFamily == AddressFamily.InterNetwork ? SocketConstants.LevelIP : SocketConstants.LevelIPv6;
        var option = source is null
            ? join ? SocketConstants.OptionJoinGroup : SocketConstants.OptionLeaveGroup
            : join ? SocketConstants.OptionJoinSourceGroup : SocketConstants.OptionLeaveSourceGroup;
        return system.SetOption(fd, level, option, source is null ? request[..(First + Storage)] : request);
    }

    // SO_REUSEADDR is never set: on UDP it would let another process bind the port too and receive in our place.
    private static void SetOptions(Syscalls system, int fd, AddressFamily family, DatagramOptions options)
    {
        if (options.ReusePort) Check(system.SetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionReusePort, 1), "set SO_REUSEPORT");
        if (options.AllowBroadcast) Check(system.SetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionBroadcast, 1), "set SO_BROADCAST");
        if (family == AddressFamily.InterNetwork)
        {
            Set(SocketConstants.LevelIP, SocketConstants.OptionMulticastTimeToLive, options.MulticastTimeToLive, "IP_MULTICAST_TTL");
            Set(SocketConstants.LevelIP, SocketConstants.OptionMulticastLoopback, ToNumber(options.MulticastLoopback), "IP_MULTICAST_LOOP");
            if (options.MulticastInterface is not { } index) return;
            // struct ip_mreqn: two addresses that are left out, and the index.
            Span<byte> request = stackalloc byte[12];
            request.Clear();
            BitConverter.TryWriteBytes(request[8..], index);
            Check(system.SetOption(fd, SocketConstants.LevelIP, SocketConstants.OptionMulticastInterface, request), "set IP_MULTICAST_IF");
        }
        else if (family == AddressFamily.InterNetworkV6)
        {
            Set(SocketConstants.LevelIPv6, SocketConstants.OptionIPv6MulticastHops, options.MulticastTimeToLive, "IPV6_MULTICAST_HOPS");
            Set(SocketConstants.LevelIPv6, SocketConstants.OptionIPv6MulticastLoopback, ToNumber(options.MulticastLoopback), "IPV6_MULTICAST_LOOP");
            Set(SocketConstants.LevelIPv6, SocketConstants.OptionIPv6MulticastInterface, options.MulticastInterface, "IPV6_MULTICAST_IF");
        }

        void Set(int level, int option, int? value, string name)
        {
            if (value is { } number) Check(system.SetOption(fd, level, option, number), $"set {name}");
        }
    }

    private static int? ToNumber(bool? value) => value is { } given ? (given ? 1 : 0) : null;

    private static int NumberOf(AddressFamily family) => family switch
    {
        AddressFamily.InterNetwork => SocketConstants.FamilyInet,
        AddressFamily.InterNetworkV6 => SocketConstants.FamilyInet6,
        _ => SocketConstants.FamilyUnix,
    };

    private static void Check(IoError error, string what)
    {
        if (!error.IsNone) throw error.ToException(what);
    }
}
