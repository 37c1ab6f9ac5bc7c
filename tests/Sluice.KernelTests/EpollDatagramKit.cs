using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Testing.Kits;

namespace Sluice.KernelTests;

/// <summary>Datagrams on real sockets of one family. Owned by its stage.</summary>
internal sealed class EpollDatagramKit(EpollStage stage, SocketFamily family) : DatagramKit(stage)
{
    private readonly List<Socket> _sockets = [];

    public override AddressFamily Family => family switch
    {
        SocketFamily.Tcp4 => AddressFamily.InterNetwork,
        SocketFamily.Tcp6 => AddressFamily.InterNetworkV6,
        _ => AddressFamily.Unix,
    };

    public override EndPoint CreateAddress() => stage.CreateListenAddress();

    /// <summary>A port of the system's choice that was given back: it is not given out again soon.</summary>
    public override IPEndPoint CreateUnusedAddress()
    {
        using var socket = Open(CreateAddress());
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    public override SafeHandle CreateSocket(EndPoint local, out EndPoint name)
    {
        var socket = Open(local);
        name = socket.LocalEndPoint!;

        // A socket that nobody holds is closed by its finalizer, perhaps before a transport has taken it over.
        _sockets.Add(socket);
        return socket.SafeHandle;
    }

    public override (SafeHandle First, SafeHandle Second) CreateUnnamedPair()
    {
        var (first, second) = SocketPair.CreateDatagram();
        _sockets.AddRange([first, second]);
        return (first.SafeHandle, second.SafeHandle);
    }

    public override void SendRaw(ReadOnlySpan<byte> data, EndPoint to)
    {
        using var socket = new Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Unspecified);
        socket.SendTo(data, to);
    }

    public override StuckReceiver CreateStuckReceiver()
    {
        var socket = Open(CreateAddress());
        socket.Blocking = false;
        _sockets.Add(socket);
        return new Stuck(socket);
    }

    public override bool IsClosed(SafeHandle socket) => socket.IsClosed;

    protected override void CloseRaw()
    {
        foreach (var socket in _sockets) socket.Dispose();
    }

    private static Socket Open(EndPoint local)
    {
        var socket = new Socket(local.AddressFamily, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(local);
        return socket;
    }

    /// <summary>A Unix socket takes only so many datagrams.</summary>
    private sealed class Stuck(Socket socket) : StuckReceiver
    {
        private readonly byte[] _buffer = new byte[65_536];

        public override EndPoint Address { get; } = socket.LocalEndPoint!;

        protected override byte[]? TryTakeOne()
        {
            var count = socket.Receive(_buffer, SocketFlags.None, out var error);
            return error == SocketError.Success ? _buffer[..count] : null;
        }
    }
}
