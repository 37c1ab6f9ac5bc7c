using System.Net;
using Sluice.Native;

namespace Sluice.Backends.Linux.Addresses;

/// <summary>The two names of a connected socket, as the kernel tells them. Asked once, for its channel.</summary>
internal readonly struct ConnectedNames
{
    public ConnectedNames(Syscalls system, int fd, int family)
    {
        Span<byte> localRoom = stackalloc byte[SocketConstants.MaxAddressLength];
        Span<byte> peerRoom = stackalloc byte[SocketConstants.MaxAddressLength];
        ReadOnlySpan<byte> local = localRoom[..system.GetLocalName(fd, localRoom, out var error)];
        Local = error.IsNone ? EndPointBytes.ToEndPoint(local) : null;
        ReadOnlySpan<byte> peer = peerRoom[..system.GetPeerName(fd, peerRoom, out error)];
        Peer = new PeerAddress(error.IsNone ? peer : default);
        IsItself = SocketFactory.IsTcp(family) && error.IsNone && local.SequenceEqual(peer);
    }

    /// <summary>Null where the kernel does not tell, or there is none.</summary>
    public EndPoint? Local { get; }

    public PeerAddress Peer { get; }

    /// <summary>The socket is connected to itself: TCP takes a connect from a port to that same port for one that meets another half-way.</summary>
    public bool IsItself { get; }
}
