using System.Net;
using System.Net.Sockets;
using Sluice.Native;

namespace Sluice.Backends.Linux;

/// <summary>What users see of a channel's socket. Made when first asked for; the channel releases it at its close.</summary>
internal sealed class LinuxTransportSocket(
    Syscalls system, SafeFd fd, int family, EndPoint? localName, EndPoint? peerName, SocketType type = SocketType.Stream) : TransportSocket
{
    private readonly SafeFd _fd = fd;
    private volatile bool _released;
    private PeerCredentials? _peer;

    public override nint Handle => _released ? -1 : _fd.Number;

    public override AddressFamily AddressFamily => family switch
    {
        SocketConstants.FamilyInet => AddressFamily.InterNetwork,
        SocketConstants.FamilyInet6 => AddressFamily.InterNetworkV6,
        SocketConstants.FamilyUnix => AddressFamily.Unix,
        _ => AddressFamily.Unknown,
    };

    public override SocketType SocketType => type;

    public override ProtocolType ProtocolType =>
        AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6) ? ProtocolType.Unspecified : type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp;

    public override EndPoint? LocalEndPoint => localName;

    public override EndPoint? RemoteEndPoint => peerName;

    /// <summary>
    /// Whether someone else may hold the open socket: then flags and options are not ours alone, and closing our descriptor ends nothing.
    /// </summary>
    public bool IsShared { get; private set; }

    /// <summary>Who is at the other end; the kernel knows it for Unix sockets only.</summary>
    public PeerCredentials? PeerCredentials
    {
        get
        {
            if (_peer is not null || _released || family != SocketConstants.FamilyUnix) return _peer;
            using var held = new HeldSocket(this);
            var identity = system.GetPeerIdentity(held.Number, out var error);
            return error.IsNone ? _peer = new PeerCredentials(identity.ProcessId, identity.UserId, identity.GroupId) : null;
        }
    }

    public override int GetSocketOption(SocketOptionLevel level, SocketOptionName name)
    {
        var (linuxLevel, linuxName) = Find(level, name);
        using var held = new HeldSocket(this);
        var value = system.GetOption(held.Number, linuxLevel, linuxName, out var error);
        return error.IsNone ? value : throw error.ToException($"get {name}");
    }

    public override void SetSocketOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        var (linuxLevel, linuxName) = Find(level, name);
        using var held = new HeldSocket(this);
        var error = system.SetOption(held.Number, linuxLevel, linuxName, value);
        if (!error.IsNone) throw error.ToException($"set {name}");
    }

    public override Socket Duplicate()
    {
        using var held = new HeldSocket(this);
        var duplicate = system.Duplicate(held.Number, out var error);
        if (!error.IsNone) throw error.ToException("duplicate a socket");
        IsShared = true;
        return new Socket(new SafeSocketHandle(duplicate, ownsHandle: true));
    }

    /// <summary>The connection is closed: from here on there is nothing to see.</summary>
    public void Release() => _released = true;

    private static (int Level, int Name) Find(SocketOptionLevel level, SocketOptionName name)
    {
        if (level == SocketOptionLevel.Socket && name is SocketOptionName.SendTimeout or SocketOptionName.ReceiveTimeout)
            throw new ArgumentException("Time-outs of the socket have no effect here: the loop never waits in a call.", nameof(name));
        return SocketOptionNumbers.TryFind(level, name, out var linuxLevel, out var linuxName)
            ? (linuxLevel, linuxName)
            : throw new SocketException((int)SocketError.ProtocolOption);
    }

    /// <summary>Keeps the descriptor open, and so its number ours, while another thread may be closing the connection.</summary>
    private readonly ref struct HeldSocket : IDisposable
    {
        private readonly SafeFd _fd;

        public HeldSocket(LinuxTransportSocket socket)
        {
            ObjectDisposedException.ThrowIf(socket._released, typeof(TransportSocket));
            _fd = socket._fd;
            var isHeld = false;
            _fd.DangerousAddRef(ref isHeld);
        }

        public int Number => _fd.Number;

        public void Dispose() => _fd.DangerousRelease();
    }
}
