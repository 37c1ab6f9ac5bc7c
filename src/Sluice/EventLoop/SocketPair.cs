using System.Net.Sockets;
using Sluice.Native;

namespace Sluice;

/// <summary>Two sockets that are connected to each other, without an address: for tests, for threads, and for taking over an existing socket.</summary>
public static class SocketPair
{
    /// <summary>Makes a pair of connected Unix stream sockets. Both are the caller's to close.</summary>
    /// <exception cref="PlatformNotSupportedException">Only Linux has them here.</exception>
    /// <exception cref="SocketException">The system has no descriptor to spare.</exception>
    public static (Socket First, Socket Second) Create() => Create(SocketConstants.TypeStream);

    /// <summary>Makes a pair of connected Unix datagram sockets, for <c>CreateDatagramEndpointAsync</c>. Both are the caller's to close.</summary>
    /// <inheritdoc cref="Create()"/>
    public static (Socket First, Socket Second) CreateDatagram() => Create(SocketConstants.TypeDatagram);

    private static unsafe (Socket First, Socket Second) Create(int type)
    {
        if (!OperatingSystem.IsLinux()) throw new PlatformNotSupportedException("Socket pairs are made on Linux only.");
        var pair = stackalloc int[2];
        var error = Syscalls.System.SocketPair(type, pair);
        if (!error.IsNone) throw error.ToException("make a socket pair");
        var first = new SafeSocketHandle(pair[0], ownsHandle: true);
        var second = new SafeSocketHandle(pair[1], ownsHandle: true);
        return (new Socket(first), new Socket(second));
    }
}
