using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.UnixFiles;
using Sluice.Native;

namespace Sluice.Backends.Linux;

/// <summary>A bound or listening socket that somebody else made, ready to be served. Made by a backend, which gives it to its listen channel.</summary>
internal sealed class ExistingListener
{
    private ExistingListener(Syscalls system, SafeFd fd, ListenerOwnership ownership, ServerOptions options)
    {
        Fd = fd;
        IsBorrowed = ownership == ListenerOwnership.Borrowed;
        var type = Option(system, SocketConstants.LevelSocket, SocketConstants.OptionType);
        if (type != SocketConstants.TypeStream) throw new SocketException((int)SocketError.SocketNotSupported, "The socket is no stream socket.");
        IsListening = Option(system, SocketConstants.LevelSocket, SocketConstants.OptionListens) != 0;
        if (ownership == ListenerOwnership.Borrowed && !IsListening)
        {
            throw new SocketException((int)SocketError.InvalidArgument, "The socket does not listen, and is not ours to make it.");
        }

        Span<byte> room = stackalloc byte[SocketConstants.MaxAddressLength];
        var address = room[..system.GetLocalName(fd.Number, room, out var error)];
        if (!error.IsNone || !IsBound(address)) throw new SocketException((int)SocketError.InvalidArgument, "The socket is not bound.");
        error = system.SetNonBlocking(fd.Number);
        if (!error.IsNone) throw error.ToException("serve a socket");
        if (SocketFactory.IsTcp(EndPointBytes.FamilyOf(address))) Corrections = ForeignOptions.Find(system, fd.Number, options);
        if (ownership == ListenerOwnership.OwnedWithFile && EndPointBytes.PathOf(address) is { } path) File = UnixSocketFile.Find(system, path, options);
    }

    public SafeFd Fd { get; }

    /// <summary>It goes on without us, and what waits there is for others to serve.</summary>
    public bool IsBorrowed { get; }

    public UnixSocketFile? File { get; }

    /// <summary>It listens already, with a backlog that its maker chose.</summary>
    public bool IsListening { get; }

    /// <summary>What each of its connections has to be given or relieved of: the listener's own options stay its maker's.</summary>
    public OptionCorrections Corrections { get; }

    /// <exception cref="SocketException">It is no bound stream socket, or a borrowed one that does not listen. One that was to be owned is closed.</exception>
    public static ExistingListener Open(Syscalls system, SafeHandle socket, ListenerOwnership ownership, ServerOptions options)
    {
        var fd = ownership == ListenerOwnership.Borrowed ? Borrow(system, socket) : TakeOver(system, socket);
        try
        {
            return new ExistingListener(system, fd, ownership, options);
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    private static SafeFd Borrow(Syscalls system, SafeHandle socket)
    {
        var duplicate = system.Duplicate((int)socket.DangerousGetHandle(), out var error);
        return error.IsNone ? new SafeFd(system, duplicate) : throw error.ToException("serve a socket");
    }

    // As SocketFactory.TakeOver. But connections inherit a listener's options, so the abortive linger that the owner sets at its end must not touch it
    // even for a moment: the owner's number is made to mean another socket first.
    private static SafeFd TakeOver(Syscalls system, SafeHandle owner)
    {
        using (owner)
        {
            var number = (int)owner.DangerousGetHandle();
            var fd = Borrow(system, owner);
            var substitute = system.StreamSocket(SocketConstants.FamilyUnix, out var error);
            if (error.IsNone)
            {
                using (new SafeFd(system, substitute)) error = system.Replace(substitute, number);
            }

            if (error.IsNone) return fd;
            fd.Dispose();
            throw error.ToException("take over a socket");
        }
    }

    // A TCP socket that is not bound has port 0, a Unix socket no name.
    private static bool IsBound(ReadOnlySpan<byte> address) => EndPointBytes.ToEndPoint(address) switch
    {
        System.Net.IPEndPoint ip => ip.Port != 0,
        { } => true,
        null => false,
    };

    private int Option(Syscalls system, int level, int name)
    {
        var value = system.GetOption(Fd.Number, level, name, out var error);
        return error.IsNone ? value : throw error.ToException("serve a socket");
    }
}
