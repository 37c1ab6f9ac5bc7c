using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Connecting;
using Sluice.Names;
using Sluice.Tls;

namespace Sluice;

/// <content>Connecting.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Connects to a TCP or Unix address and gives the connection a protocol. The caller resumes after ConnectionMade and, where it is on
    /// the loop, before the first data. (asyncio: <c>create_connection</c>, <c>create_unix_connection</c>.)
    /// </summary>
    /// <param name="protocolFactory">Called once on the loop's thread when the connection is up; returns a protocol that serves nobody else.</param>
    /// <param name="remote">An <see cref="IPEndPoint"/>, a <see cref="DnsEndPoint"/> whose addresses are tried in order, or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="options">How the connection is opened and behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: nothing stays open, and the protocol hears nothing.</param>
    /// <exception cref="ArgumentException">An address, or an option, that cannot be or does not fit the others.</exception>
    /// <exception cref="SocketException">
    /// In the task: the name has no address, or the only one could not be connected to. Where several could not, a
    /// <see cref="ConnectionFailedException"/>, or an <see cref="AggregateException"/> if the options ask for all errors.
    /// </exception>
    /// <exception cref="InvalidOperationException">In the task: the factory returned null or a protocol that serves another transport.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, EndPoint remote, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        ArgumentNullException.ThrowIfNull(remote);
        CheckAddress(remote, nameof(remote));
        options = CheckedForConnect(options);
        if (UnixAddress.Is(remote)) ConnectionRules.CheckHasOneAddress(options, "A Unix socket");
        var tls = RoleFor(options, HostOf(remote));
        return Connect(protocolFactory, AddressQuery.Of(remote, options.AddressFamily, nameof(remote)), options, tls, cancellationToken);
    }

    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, EndPoint, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread when the connection is up; returns a protocol that serves nobody else.</param>
    /// <param name="host">A name, an address literal, or null for this machine: its loopback addresses.</param>
    /// <param name="port">The port.</param>
    /// <param name="options">How the connection is opened and behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up, at any instant before ConnectionMade: nothing stays open, and the protocol hears nothing.</param>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, string? host, int port, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        options = CheckedForConnect(options);
        return Connect(protocolFactory, AddressQuery.OfHost(host, port, options.AddressFamily), options, RoleFor(options, host), cancellationToken);
    }

    /// <summary>Makes a transport of a socket that is connected already. (asyncio: <c>create_connection(sock=…)</c>.)</summary>
    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, EndPoint, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="socket">A connected stream socket, TCP or Unix. The transport takes it over: do not use it any more, whatever the outcome.</param>
    /// <param name="options">How the connection behaves, or null for the defaults. Nothing about addresses: they are settled.</param>
    /// <param name="cancellationToken">Gives up; the socket is closed.</param>
    /// <exception cref="ArgumentException"><paramref name="socket"/> is not a connected stream socket, or an option does not fit. The socket is left as it was.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended, or the socket is closed.</exception>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Socket socket, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        ConnectionRules.CheckConnectedStream(socket);
        return Kept(socket, AdoptAsync(protocolFactory, socket.SafeHandle, options, cancellationToken));
    }

    /// <summary>
    /// Makes a transport of a socket that your program has accepted itself: the server's side of a connection. (asyncio:
    /// <c>connect_accepted_socket</c>.)
    /// </summary>
    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, Socket, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="socket">A connected stream socket, TCP or Unix. The transport takes it over: do not use it any more, whatever the outcome.</param>
    /// <param name="options">How the connection behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up; the socket is closed.</param>
    public Task<(ITransport Transport, TProtocol Protocol)> ConnectAcceptedSocketAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Socket socket, AcceptedSocketOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        ConnectionRules.CheckConnectedStream(socket);
        return Kept(socket, AdoptAcceptedAsync(protocolFactory, socket.SafeHandle, options, cancellationToken));
    }

    /// <summary>Connects to a Unix socket by its path. (asyncio: <c>create_unix_connection</c>.)</summary>
    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, EndPoint, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread when the connection is up; returns a protocol that serves nobody else.</param>
    /// <param name="path">The path of the socket's file, at most 107 bytes; or an abstract name, which begins with a NUL.</param>
    /// <param name="options">How the connection behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up: nothing stays open, and the protocol hears nothing.</param>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateUnixConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, string path, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return CreateConnectionAsync(protocolFactory, UnixAddress.Of(path, nameof(path)), options, cancellationToken);
    }

    /// <summary>Makes a transport of a Unix socket that is connected already. (asyncio: <c>create_unix_connection(sock=…)</c>.)</summary>
    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, Socket, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="socket">A connected Unix stream socket. The transport takes it over: do not use it any more, whatever the outcome.</param>
    /// <param name="options">How the connection behaves, or null for the defaults. Nothing about addresses: they are settled.</param>
    /// <param name="cancellationToken">Gives up; the socket is closed.</param>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateUnixConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Socket socket, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.AddressFamily != AddressFamily.Unix) throw new ArgumentException("A Unix socket is needed.", nameof(socket));
        return CreateConnectionAsync(protocolFactory, socket, options, cancellationToken);
    }

    /// <summary>Adopts a connected stream by its handle: what backends that have no real sockets can take over too.</summary>
    internal Task<(ITransport Transport, TProtocol Protocol)> AdoptAsync<TProtocol>(
        Func<TProtocol> protocolFactory, SafeHandle socket, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        options = CheckedForConnect(options);
        ConnectionRules.CheckHasOneAddress(options, "A connected socket");
        return new Connector<TProtocol>(Services, protocolFactory, socket, options, RoleFor(options, null), cancellationToken).Start();
    }

    /// <summary>As <see cref="AdoptAsync"/>, for the server's side.</summary>
    internal Task<(ITransport Transport, TProtocol Protocol)> AdoptAcceptedAsync<TProtocol>(
        Func<TProtocol> protocolFactory, SafeHandle socket, AcceptedSocketOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        options = Checked(options ?? AcceptedSocketOptions.Default);
        var tls = options.Tls is { } server ? TlsServerRole.Of(server, nameof(options)) : null;
        return new Connector<TProtocol>(Services, protocolFactory, socket, options, tls, cancellationToken).Start();
    }

    /// <summary>Runs a short function on the loop: here where this is its thread, else in a turn.</summary>
    internal Task<T> OnLoop<T>(Func<T> function) =>
        _core.IsOnThread ? Attempt(function) : InvokeAsync(() => Attempt(function));

    private static Task<T> Attempt<T>(Func<T> function)
    {
        try
        {
            return Task.FromResult(function());
        }
        catch (Exception exception)
        {
            return Task.FromException<T>(exception);
        }
    }

    // A Socket that its user forgets, as told, would be collected and close its descriptor before the loop's turn comes.
    private Task<T> Kept<T>(Socket socket, Task<T> connecting)
    {
        if (!_core.IsOnThread)
        {
            connecting.ContinueWith(
                static (_, kept) => GC.KeepAlive(kept), socket, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }

        return connecting;
    }

    private static TlsClientRole? RoleFor(ConnectionOptions options, string? host) =>
        options.Tls is { } tls ? TlsClientRole.Of(tls, host, nameof(options)) : null;

    private static string? HostOf(EndPoint remote) => remote switch
    {
        DnsEndPoint name => name.Host,
        IPEndPoint address => address.Address.ToString(),
        _ => null,
    };

    private Task<(ITransport Transport, TProtocol Protocol)> Connect<TProtocol>(
        Func<TProtocol> protocolFactory, AddressQuery remote, ConnectionOptions options, TlsRole? tls, CancellationToken cancellationToken)
        where TProtocol : class, IProtocol<ITransport>
    {
        // Local addresses of another family than the remote's are passed over where they are tried, so all are asked for.
        var local = options.LocalEndPoint is { } address ? AddressQuery.Of(address, AddressFamily.Unspecified, nameof(options)) : null;
        return new Connector<TProtocol>(Services, protocolFactory, remote, local, options, tls, cancellationToken).Start();
    }

    private static EndPoint WithoutNames(EndPoint address) =>
        address is DnsEndPoint name && IPAddress.TryParse(name.Host, out var literal) ? new IPEndPoint(literal, name.Port) : address;

    private static void CheckAddress(EndPoint address, string parameter) => ConnectionRules.CheckAddress(address, parameter);

    private static ConnectionOptions CheckedForConnect(ConnectionOptions? options)
    {
        options = Checked(options ?? ConnectionOptions.Default);
        ConnectionRules.CheckOptions(options);
        return options;
    }

    private static TOptions Checked<TOptions>(TOptions options) where TOptions : StreamOptions
    {
        ConnectionRules.CheckLimits(options);
        return options;
    }
}
