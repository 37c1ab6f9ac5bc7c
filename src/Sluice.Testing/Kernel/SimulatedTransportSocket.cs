using System.Net;
using System.Net.Sockets;
using Sluice.Testing.Kernel.Datagrams;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel;

/// <summary>What users see of a simulated socket: names and a store of options. Owned by its channel.</summary>
internal sealed class SimulatedTransportSocket(int number, EndPoint? local, EndPoint? peer) : TransportSocket
{
    private readonly Dictionary<(SocketOptionLevel, SocketOptionName), int> _options = [];
    private bool _isClosed;

    /// <summary>The kernel's side, for a stage that compares what was sent with what was seen; null for a listener.</summary>
    public SimulatedSocket? Kernel { get; init; }

    /// <summary>The kernel's side of a datagram socket, else null.</summary>
    public SimulatedDatagramSocket? Datagrams { get; init; }

    /// <summary>The number also after the close.</summary>
    public nint Number => number;

    public override nint Handle => _isClosed ? -1 : number;

    public override AddressFamily AddressFamily => Datagrams?.Family ?? (local ?? peer)?.AddressFamily ?? AddressFamily.Unix;

    public override SocketType SocketType => Datagrams is null ? SocketType.Stream : SocketType.Dgram;

    public override ProtocolType ProtocolType => AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : Datagrams is null ? ProtocolType.Tcp : ProtocolType.Udp;

    public override EndPoint? LocalEndPoint
    {
        get
        {
            VerifyOpen();
            return local;
        }
    }

    public override EndPoint? RemoteEndPoint
    {
        get
        {
            VerifyOpen();
            return peer;
        }
    }

    public override int GetSocketOption(SocketOptionLevel level, SocketOptionName name)
    {
        VerifyOpen();
        return _options.GetValueOrDefault((level, name));
    }

    public override void SetSocketOption(SocketOptionLevel level, SocketOptionName name, int value)
    {
        VerifyOpen();
        if (name is SocketOptionName.SendTimeout or SocketOptionName.ReceiveTimeout)
        {
            throw new ArgumentException("Time-outs belong to the loop.", nameof(name));
        }

        _options[(level, name)] = value;
    }

    public override Socket Duplicate() => throw new NotSupportedException("A simulated socket has no descriptor that could be duplicated.");

    public void MarkClosed() => _isClosed = true;

    /// <summary>The value that was set, or null; also after the close.</summary>
    public int? Find(SocketOptionLevel level, SocketOptionName name) => _options.TryGetValue((level, name), out var value) ? value : null;

    /// <summary>A datagram socket gets its names late, and may change them.</summary>
    public void Rename(EndPoint? newLocal, EndPoint? newPeer) => (local, peer) = (newLocal, newPeer);

    private void VerifyOpen() => ObjectDisposedException.ThrowIf(_isClosed, typeof(TransportSocket));
}
