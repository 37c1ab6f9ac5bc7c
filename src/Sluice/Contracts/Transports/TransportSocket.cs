using System.Net;
using System.Net.Sockets;

namespace Sluice;

/// <summary>
/// The socket below a transport, for looking and for options: it does no I/O and cannot be closed. (Guide: extra info <c>"socket"</c>.)
/// </summary>
/// <remarks>After the connection is released, <see cref="Handle"/> is -1 and the methods throw <see cref="ObjectDisposedException"/>.</remarks>
public abstract class TransportSocket
{
    private protected TransportSocket()
    {
    }

    /// <summary>The descriptor, or -1 once it is closed. Never close it or do I/O on it.</summary>
    public abstract nint Handle { get; }

    /// <summary>The address family.</summary>
    public abstract AddressFamily AddressFamily { get; }

    /// <summary>The socket type.</summary>
    public abstract SocketType SocketType { get; }

    /// <summary>The protocol.</summary>
    public abstract ProtocolType ProtocolType { get; }

    /// <summary>The local address, or null where there is none.</summary>
    public abstract EndPoint? LocalEndPoint { get; }

    /// <summary>The peer's address, or null where there is none.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>Reads an option of the socket.</summary>
    /// <param name="level">The option's level.</param>
    /// <param name="name">The option.</param>
    /// <exception cref="SocketException">The system refuses.</exception>
    public abstract int GetSocketOption(SocketOptionLevel level, SocketOptionName name);

    /// <summary>Sets an option of the socket. Leave blocking and time-outs alone: they are the loop's.</summary>
    /// <param name="level">The option's level.</param>
    /// <param name="name">The option.</param>
    /// <param name="value">The value.</param>
    /// <exception cref="ArgumentException">A send or receive time-out.</exception>
    /// <exception cref="SocketException">The system refuses.</exception>
    public abstract void SetSocketOption(SocketOptionLevel level, SocketOptionName name, int value);

    /// <summary>A socket of your own on the same connection, over a duplicated descriptor. You dispose of it.</summary>
    public abstract Socket Duplicate();
}
