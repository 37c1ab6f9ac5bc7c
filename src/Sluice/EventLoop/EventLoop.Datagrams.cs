using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Connecting;

namespace Sluice;

/// <content>Datagrams.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Opens an endpoint for datagrams, UDP or Unix, and gives it a protocol. The caller resumes after ConnectionMade and, where it is on the loop, before the first datagram. Callable from
    /// any thread. (asyncio: <c>create_datagram_endpoint</c>.)
    /// </summary>
    /// <remarks>
    /// A remote address connects the endpoint: it sends to that peer only and hears nobody else, and on UDP it learns that nobody listens there. With names, each pair of a local and a
    /// remote address of one family is tried in order.
    /// </remarks>
    /// <param name="protocolFactory">Called once on the loop's thread when the socket is open; returns a protocol that serves nobody else.</param>
    /// <param name="local">
    /// Where to receive: an <see cref="IPEndPoint"/> (port 0: the system chooses), a <see cref="DnsEndPoint"/>, or a <see cref="UnixDomainSocketEndPoint"/>, where a file that a dead socket left is
    /// replaced, any other is left alone, and ours is removed at the close. Null: a port that the system chooses at the first send; a Unix socket stays without a name.
    /// </param>
    /// <param name="remote">The only peer, or null: datagrams come from everyone and go where <see cref="IDatagramTransport.SendTo"/> says.</param>
    /// <param name="options">How the endpoint is opened and behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: nothing stays open, and the protocol hears nothing.</param>
    /// <exception cref="ArgumentException">
    /// Neither an address nor a family; addresses that cannot be, or have no family in common (with names: in the task); an option that cannot be or does not fit.
    /// </exception>
    /// <exception cref="PlatformNotSupportedException">The options ask for <see cref="DatagramOptions.ReusePort"/>, which this system lacks.</exception>
    /// <exception cref="SocketException">In the task: a name has no address, or no pair could be opened; the first pair's failure.</exception>
    /// <exception cref="InvalidOperationException">In the task: the factory returned null or a protocol that serves another transport.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<(IDatagramTransport Transport, TProtocol Protocol)> CreateDatagramEndpointAsync<TProtocol>(
        Func<TProtocol> protocolFactory, EndPoint? local = null, EndPoint? remote = null, DatagramOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IDatagramTransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        options = CheckedForDatagrams(options);
        if (options.ReusePort && !_core.Backend.SupportsReusePort) throw new PlatformNotSupportedException("This system does not let endpoints share a port.");
        var ends = DatagramEnds.Of(local, remote, options);
        return new EndpointOpener<TProtocol>(Services, protocolFactory, ends, options, cancellationToken).Start();
    }

    /// <summary>Makes a transport of a datagram socket that exists already. (asyncio: <c>create_datagram_endpoint(sock=…)</c>.)</summary>
    /// <inheritdoc cref="CreateDatagramEndpointAsync{TProtocol}(Func{TProtocol}, EndPoint?, EndPoint?, DatagramOptions?, CancellationToken)"/>
    /// <remarks>A socket that has a peer is connected, one of a pair too: it sends nowhere else.</remarks>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="socket">A datagram socket, UDP or Unix. The transport takes it over: do not use it any more, whatever the outcome.</param>
    /// <param name="options">How the endpoint behaves, or null for the defaults. Nothing about how it is opened: that is settled.</param>
    /// <param name="cancellationToken">Gives up; the socket is closed.</param>
    /// <exception cref="ArgumentException"><paramref name="socket"/> is no datagram socket, or an option does not fit. The socket is left as it was.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended, or the socket is closed.</exception>
    public Task<(IDatagramTransport Transport, TProtocol Protocol)> CreateDatagramEndpointAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Socket socket, DatagramOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IDatagramTransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        ArgumentNullException.ThrowIfNull(socket);
        ObjectDisposedException.ThrowIf(socket.SafeHandle.IsClosed, socket);
        if (socket.SocketType != SocketType.Dgram) throw new ArgumentException("A datagram socket is needed.", nameof(socket));
        return Kept(socket, AdoptDatagramAsync(protocolFactory, socket.SafeHandle, options, cancellationToken));
    }

    /// <summary>Adopts a datagram socket by its handle: what backends that have no real sockets can take over too.</summary>
    internal Task<(IDatagramTransport Transport, TProtocol Protocol)> AdoptDatagramAsync<TProtocol>(
        Func<TProtocol> protocolFactory, SafeHandle socket, DatagramOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<IDatagramTransport>
    {
        options = CheckedForDatagrams(options);
        if (options is not { AddressFamily: AddressFamily.Unspecified, ReusePort: false, AllowBroadcast: false, MulticastTimeToLive: null, MulticastLoopback: null, MulticastInterface: null })
        {
            throw new ArgumentException(
                $"A socket that exists keeps its options: {nameof(options.AddressFamily)}, {nameof(options.ReusePort)}, {nameof(options.AllowBroadcast)} and those about multicast have no meaning for it.",
                nameof(options));
        }

        return new EndpointOpener<TProtocol>(Services, protocolFactory, socket, options, cancellationToken).Start();
    }

    private static DatagramOptions CheckedForDatagrams(DatagramOptions? options)
    {
        options ??= DatagramOptions.Default;
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxWriteBufferSize, nameof(options));
        if (options.MulticastTimeToLive is { } hops && hops is < 0 or > 255) throw new ArgumentOutOfRangeException(nameof(options), hops, "Between 0 and 255 routers.");
        if (options.MulticastInterface is { } index) ArgumentOutOfRangeException.ThrowIfNegative(index, nameof(options));
        return options;
    }
}
