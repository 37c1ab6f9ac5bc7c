using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Testing.Kernel.Datagrams;

namespace Sluice.Testing.Kits;

/// <summary>Datagrams on the simulated kernel. Owned by its stage.</summary>
internal sealed class SimulatedDatagramKit(SimulatedStage stage, SimulatedHost host, bool isUnix) : DatagramKit(stage)
{
    private const int RoomForAll = 16 * 1024 * 1024;
    private static readonly IPAddress Elsewhere = IPAddress.Parse("127.0.2.1");

    private readonly List<SimulatedDatagramSocket> _stuck = [];
    private int _unused = 20_000;

    public override AddressFamily Family => isUnix ? AddressFamily.Unix : AddressFamily.InterNetwork;

    public override EndPoint CreateAddress() => stage.CreateListenAddress();

    public override IPEndPoint CreateUnusedAddress() => new(Elsewhere, ++_unused);

    public override SafeHandle CreateSocket(EndPoint local, out EndPoint name)
    {
        var socket = Open(local);
        name = socket.LocalName!;
        return new SimulatedDatagramHandle(socket);
    }

    public override (SafeHandle First, SafeHandle Second) CreateUnnamedPair() => host.CreateDatagramPair();

    public override void SendRaw(ReadOnlySpan<byte> data, EndPoint to)
    {
        var socket = host.Backend.CreateDatagramSocket(to.AddressFamily);
        socket.TrySend(data, to, out _);
        socket.Release();
    }

    public override StuckReceiver CreateStuckReceiver()
    {
        var socket = Open(CreateAddress());
        socket.View.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveBuffer, RoomForAll);
        _stuck.Add(socket);
        return new Stuck(host, socket);
    }

    public override bool IsClosed(SafeHandle socket) => socket is SimulatedDatagramHandle { Socket: null };

    protected override void CloseRaw()
    {
        host.Faults.UnblockSends();
        foreach (var socket in _stuck) socket.Release();
    }

    private SimulatedDatagramSocket Open(EndPoint local)
    {
        var socket = host.Backend.CreateDatagramSocket(local.AddressFamily);
        socket.Bind(local);
        return socket;
    }

    /// <summary>Over UDP the sender's host has no room; a Unix socket itself takes only so many.</summary>
    private sealed class Stuck : StuckReceiver
    {
        private readonly SimulatedHost _host;
        private readonly SimulatedDatagramSocket _socket;

        public Stuck(SimulatedHost host, SimulatedDatagramSocket socket)
        {
            _host = host;
            _socket = socket;
            if (!socket.IsUnix) host.Faults.BlockSends();
        }

        public override EndPoint Address => _socket.LocalName!;

        protected override byte[]? TryTakeOne()
        {
            _host.Faults.UnblockSends();
            return _socket.TryReceive(out var datagram, out _) ? datagram.Payload : null;
        }
    }
}
