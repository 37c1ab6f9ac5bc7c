using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.UnixFiles;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>Makes stream sockets and takes over those of others. Each descriptor has its owner from its first moment. Stateless.</summary>
internal static class SocketFactory
{
    /// <summary>A socket that is ready to connect to the remote address, bound to the local one if there is one.</summary>
    /// <returns>Null on failure; <paramref name="step"/> failed, and nothing is left open then.</returns>
    public static SafeFd? OpenClient(
        Syscalls system, ReadOnlySpan<byte> remote, ReadOnlySpan<byte> local, StreamOptions options, out ConnectStep step, out IoError error)
    {
        var family = EndPointBytes.FamilyOf(remote);
        step = ConnectStep.Socket;
        if (Open(system, family, out error) is not { } socket) return null;
        if (IsTcp(family)) SetTcpOptions(system, socket.Number, options);
        step = ConnectStep.Bind;
        if (!local.IsEmpty) error = system.Bind(socket.Number, local);
        if (error.IsNone)
        {
            step = ConnectStep.Connect;
            return socket;
        }

        socket.Dispose();
        return null;
    }

    /// <summary>A bound socket that does not listen yet, and its file where it has one.</summary>
    /// <exception cref="SocketException">The address cannot be bound; nothing is left open.</exception>
    public static SafeFd OpenListener(Syscalls system, EndPoint local, ServerOptions options, out UnixSocketFile? file)
    {
        var address = EndPointBytes.Of(local);
        var family = EndPointBytes.FamilyOf(address);
        file = null;
        var socket = Open(system, family, out var error) ?? throw error.ToException($"listen on {local}");
        try
        {
            if (IsTcp(family)) PrepareTcpListener(system, socket.Number, family, options);
            if (EndPointBytes.PathOf(address) is { } path)
            {
                file = UnixSocketFile.Bind(system, socket.Number, path, address, options);
                return socket;
            }

            error = system.Bind(socket.Number, address);
            return error.IsNone ? socket : throw error.ToException($"listen on {local}");
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Moves an open socket from its owner to us: under a number of ours, with the owner's closed.</summary>
    /// <remarks>
    /// Taking the number itself and marking the handle invalid would be cheaper, but a later Dispose of the Socket around such a
    /// handle waits for ever. Disposing of a Socket's handle sets an abortive linger, which the open socket would keep. Neither that nor one that it came with
    /// is left on it: see <see cref="ForeignOptions.CloseInOrder"/>.
    /// </remarks>
    /// <exception cref="SocketException">No descriptor to spare. The owner's is closed all the same.</exception>
    public static SafeFd TakeOver(Syscalls system, SafeHandle owner)
    {
        var duplicate = system.Duplicate((int)owner.DangerousGetHandle(), out var error);
        if (!error.IsNone)
        {
            ForeignOptions.CloseInOrder(system, (int)owner.DangerousGetHandle());
            owner.Dispose();
            throw error.ToException("take over a socket");
        }

        var fd = new SafeFd(system, duplicate);
        owner.Dispose();
        ForeignOptions.CloseInOrder(system, duplicate);
        return fd;
    }

    /// <summary>Checks that a descriptor of someone else's is a connected stream socket, and says which family it has.</summary>
    /// <exception cref="SocketException">It is not.</exception>
    public static int CheckConnectedStream(Syscalls system, int fd)
    {
        var type = system.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionType, out var error);
        if (!error.IsNone) throw error.ToException("take over a socket");
        if (type != SocketConstants.TypeStream) throw new SocketException((int)SocketError.SocketNotSupported, "The socket is no stream socket.");
        system.GetPeerName(fd, stackalloc byte[SocketConstants.MaxAddressLength], out error);
        if (!error.IsNone) throw error.ToException("take over a socket");
        return system.GetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionDomain, out _);
    }

    public static bool IsTcp(int family) => family is SocketConstants.FamilyInet or SocketConstants.FamilyInet6;

    /// <summary>Sets what the options ask for on a connection of ours, and nothing that they do not ask for.</summary>
    public static void SetTcpOptions(Syscalls system, int fd, StreamOptions options)
    {
        SetNoDelay(system, fd, options);
        if (options.KeepAlive) system.SetOption(fd, SocketConstants.LevelSocket, SocketConstants.OptionKeepAlive, 1);
    }

    /// <summary>Sets TCP_USER_TIMEOUT, which also breaks a connection whose peer takes nothing more. A socket that refuses is broken already.</summary>
    /// <param name="system">The kernel.</param>
    /// <param name="fd">The connection.</param>
    /// <param name="timeout">How long.</param>
    /// <param name="keepsShorter">Whether somebody else may have set a shorter one, which is to stay.</param>
    public static void LimitUnacknowledged(Syscalls system, int fd, TimeSpan timeout, bool keepsShorter)
    {
        var milliseconds = (int)Math.Clamp(Math.Ceiling(timeout.TotalMilliseconds), 1, int.MaxValue);
        if (keepsShorter)
        {
            var present = system.GetOption(fd, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpUserTimeout, out var error);
            if (error.IsNone && present > 0 && present <= milliseconds) return;
        }

        system.SetOption(fd, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpUserTimeout, milliseconds);
    }

    /// <summary>Sets what the options ask for. A socket that refuses is broken, and says so at its first read.</summary>
    public static void SetNoDelay(Syscalls system, int fd, StreamOptions options)
    {
        if (options.NoDelay) system.SetOption(fd, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpNoDelay, 1);
    }

    // SO_REUSEADDR lets a server start again while connections of its previous run are still in TIME_WAIT; on Linux it never allows two
    // listeners on one port. An IPv6 listener serves IPv6 alone, so that one for IPv4 can stand beside it.
    private static void PrepareTcpListener(Syscalls system, int fd, int family, ServerOptions options)
    {
        if (options.ReuseAddress ?? true) SetOnListener(system, fd, SocketConstants.OptionReuseAddress, "SO_REUSEADDR");
        if (options.ReusePort) SetOnListener(system, fd, SocketConstants.OptionReusePort, "SO_REUSEPORT");
        // Linux hands SO_KEEPALIVE and TCP_NODELAY on from the listener to the connections that it accepts: one call here instead of one for each.
        if (options.KeepAlive) SetOnListener(system, fd, SocketConstants.OptionKeepAlive, "SO_KEEPALIVE");
        SetNoDelay(system, fd, options);
        if (family != SocketConstants.FamilyInet6) return;
        var error = system.SetOption(fd, SocketConstants.LevelIPv6, SocketConstants.OptionIPv6Only, 1);
        if (!error.IsNone) throw error.ToException("set IPV6_V6ONLY");
    }

    private static void SetOnListener(Syscalls system, int fd, int option, string name)
    {
        var error = system.SetOption(fd, SocketConstants.LevelSocket, option, 1);
        if (!error.IsNone) throw error.ToException($"set {name}");
    }

    private static SafeFd? Open(Syscalls system, int family, out IoError error)
    {
        var fd = system.StreamSocket(family, out error);
        return error.IsNone ? new SafeFd(system, fd) : null;
    }
}
