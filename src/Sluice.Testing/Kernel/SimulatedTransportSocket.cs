using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Kernel;

/// <summary>What users see of a simulated socket: names and a store of options. Owned by its channel.</summary>
internal sealed class SimulatedTransportSocket(int number, EndPoint? local, EndPoint? peer) : TransportSocket
{
    private readonly Dictionary<(SocketOptionLevel, SocketOptionName), int> _options = [];
    private bool _isClosed;

    /// <summary>The kernel's side, for a stage that compares what was sent with what was seen; null for a listener.</summary>
    public SimulatedSocket? Kernel { get; init; }

    public override nint Handle => _isClosed ? -1 : number;

    public override AddressFamily AddressFamily => (local ?? peer)?.AddressFamily ?? AddressFamily.Unix;

    public override SocketType SocketType => SocketType.Stream;

    public override ProtocolType ProtocolType => AddressFamily == AddressFamily.Unix ? ProtocolType.Unspecified : ProtocolType.Tcp;

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

    private void VerifyOpen() => ObjectDisposedException.ThrowIf(_isClosed, typeof(TransportSocket));
}
