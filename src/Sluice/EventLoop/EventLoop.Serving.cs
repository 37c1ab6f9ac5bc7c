using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using Sluice.Loop;
using Sluice.Names;
using Sluice.Serving;
using Sluice.Tls;

namespace Sluice;

/// <content>Serving.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Listens on a host's addresses and gives each connection a protocol. (asyncio: <c>create_server</c>.)
    /// </summary>
    /// <remarks>
    /// Where a host has several addresses, each is bound once. Those that this machine lacks are left out, address families that it lacks too,
    /// unless nothing is left; any other failure closes what was bound. With port 0 the system chooses a port for each socket: they may differ.
    /// </remarks>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="host">A name, an address literal, or null or "" for all interfaces: a socket for IPv4 and one for IPv6.</param>
    /// <param name="port">The port; 0 lets the system choose.</param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    /// <exception cref="ArgumentOutOfRangeException">A port, or a number of the options, is out of its range.</exception>
    /// <exception cref="PlatformNotSupportedException">The options ask for <see cref="ServerOptions.ReusePort"/>, which this system lacks.</exception>
    /// <exception cref="SocketException">In the task: a name has no address, an address cannot be bound, or a live server has it.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    [OverloadResolutionPriority(1)]
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, string? host, int port, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        CheckPort(port);
        return ServeAsync(protocolFactory, ServerAddresses.Of(host, port), options, cancellationToken);
    }

    /// <inheritdoc cref="CreateServerAsync(Func{IProtocol{ITransport}}, string?, int, ServerOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="hosts">Names or address literals, at least one. All are looked up at the same time, and an address that comes twice is bound once.</param>
    /// <param name="port">The port; 0 lets the system choose.</param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    /// <exception cref="ArgumentException"><paramref name="hosts"/> is empty, or holds a null or an empty name.</exception>
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, IEnumerable<string> hosts, int port, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(hosts);
        CheckPort(port);
        var locals = new List<EndPoint>();
        foreach (var host in hosts)
        {
            if (string.IsNullOrEmpty(host)) throw new ArgumentException("A host of the list is null or empty.", nameof(hosts));
            locals.AddRange(ServerAddresses.Of(host, port));
        }

        if (locals.Count == 0) throw new ArgumentException("At least one host is needed.", nameof(hosts));
        return ServeAsync(protocolFactory, locals, options, cancellationToken);
    }

    /// <inheritdoc cref="CreateServerAsync(Func{IProtocol{ITransport}}, string?, int, ServerOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="local">An <see cref="IPEndPoint"/> (port 0: the system chooses), a <see cref="DnsEndPoint"/> whose addresses are all bound, or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    /// <exception cref="ArgumentException"><paramref name="local"/> is of another kind.</exception>
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, EndPoint local, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(local);
        CheckAddress(local, nameof(local));
        return ServeAsync(protocolFactory, [local], options, cancellationToken);
    }

    /// <inheritdoc cref="CreateServerAsync(Func{IProtocol{ITransport}}, string?, int, ServerOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="locals">At least one address, each as for the overload with one. An address that comes twice is bound once.</param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    /// <exception cref="ArgumentException"><paramref name="locals"/> is empty, or holds null or another kind of address.</exception>
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, IEnumerable<EndPoint> locals, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(locals);
        EndPoint[] addresses = [.. locals];
        if (addresses.Length == 0) throw new ArgumentException("At least one address is needed.", nameof(locals));
        foreach (var address in addresses)
        {
            if (address is null) throw new ArgumentException("An address of the list is null.", nameof(locals));
            CheckAddress(address, nameof(locals));
        }

        return ServeAsync(protocolFactory, addresses, options, cancellationToken);
    }

    /// <summary>
    /// Listens on a Unix socket. Its file is the owner's alone unless the options say otherwise, a stale one is replaced, and it goes when the
    /// server closes. (asyncio: <c>create_unix_server</c>.)
    /// </summary>
    /// <inheritdoc cref="CreateServerAsync(Func{IProtocol{ITransport}}, EndPoint, ServerOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="path">The path of the socket's file.</param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    public Task<Server> CreateUnixServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, string path, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return CreateServerAsync(protocolFactory, UnixAddress.Of(path, nameof(path)), options, cancellationToken);
    }

    private static Server OpenServer(Server server, IReadOnlyList<EndPoint> addresses) =>
        OpenServer(server, () => ServerAddresses.Bind(addresses, server.Bind));

    private static Server OpenServer(Server server, Func<IReadOnlyList<ServerListener>> listen)
    {
        try
        {
            server.Open(listen());
            return server;
        }
        catch
        {
            server.Close();
            throw;
        }
    }

    private static void CheckPort(int port)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, IPEndPoint.MinPort);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, IPEndPoint.MaxPort);
    }

    private Task<Server> ServeAsync(
        Func<IProtocol<ITransport>> protocolFactory, IReadOnlyList<EndPoint> locals, ServerOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        options = CheckedForServing(options ?? ServerOptions.Default);
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<Server>(cancellationToken);
        var server = new Server(this, protocolFactory, options, CallbackContext.Capture());
        EndPoint[] addresses = [.. locals.Select(WithoutNames)];
        return Array.Exists(addresses, static address => address is DnsEndPoint)
            ? ServeNamesAsync(server, addresses, cancellationToken)
            : OnLoop(() => OpenServer(server, addresses));
    }

    private ServerOptions CheckedForServing(ServerOptions options)
    {
        Checked(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Backlog, nameof(options));
        if (options.MaxConnections is { } most) ArgumentOutOfRangeException.ThrowIfNegativeOrZero(most, nameof(options));
        if (options.ReplaceIdleAfter is { } idle) ArgumentOutOfRangeException.ThrowIfLessThan(idle, TimeSpan.Zero, nameof(options));
        Server.CheckDeadline(options.DrainTimeout, nameof(options));
        Server.CheckDeadline(options.DrainGrace, nameof(options));
        if (options.Tls is { } tls) TlsServerRole.Of(tls, nameof(options));
        if (options.ReusePort && !_core.Backend.SupportsReusePort) throw new PlatformNotSupportedException("This system does not let servers share a port.");
        return options;
    }

    private async Task<Server> ServeNamesAsync(Server server, EndPoint[] locals, CancellationToken cancellationToken)
    {
        var addresses = await InvokeAsync(() => ResolveAllAsync(locals, cancellationToken));
        return await OnLoop(() =>
        {
            cancellationToken.ThrowIfCancellationRequested();
            return OpenServer(server, addresses);
        });
    }

    /// <summary>Asks for all names at the same time. The first failure counts, once all have answered.</summary>
    private async Task<IReadOnlyList<EndPoint>> ResolveAllAsync(EndPoint[] locals, CancellationToken cancellationToken)
    {
        var lookups = Array.ConvertAll(locals, local => local is DnsEndPoint name
            ? ResolveAsync(name, cancellationToken)
            : Task.FromResult<IReadOnlyList<EndPoint>>([local]));
        var addresses = new List<EndPoint>();
        ExceptionDispatchInfo? failure = null;
        foreach (var lookup in lookups)
        {
            try
            {
                addresses.AddRange(await lookup);
            }
            catch (Exception exception)
            {
                failure ??= ExceptionDispatchInfo.Capture(exception);
            }
        }

        failure?.Throw();
        return addresses;
    }

    private async Task<IReadOnlyList<EndPoint>> ResolveAsync(DnsEndPoint name, CancellationToken cancellationToken) =>
        await GetAddressInfoAsync(name.Host, name.Port, name.AddressFamily, cancellationToken);
}
