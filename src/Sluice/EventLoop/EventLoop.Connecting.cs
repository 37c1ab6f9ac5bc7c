using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

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
    /// <param name="options">How the connection behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up: nothing stays open, and the protocol hears nothing.</param>
    /// <exception cref="SocketException">In the task: no address could be connected to; the message names each.</exception>
    /// <exception cref="InvalidOperationException">In the task: the factory returned null or a protocol that serves another transport.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, EndPoint remote, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        ArgumentNullException.ThrowIfNull(remote);
        CheckAddress(remote, nameof(remote));
        options = Checked(options ?? ConnectionOptions.Default);
        return new Connector<TProtocol>(this, protocolFactory, WithoutNames(remote), null, options, cancellationToken).Start();
    }

    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, EndPoint, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread when the connection is up; returns a protocol that serves nobody else.</param>
    /// <param name="host">A name or an address literal.</param>
    /// <param name="port">The port.</param>
    /// <param name="options">How the connection behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up: nothing stays open, and the protocol hears nothing.</param>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, string host, int port, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        return CreateConnectionAsync(protocolFactory, new DnsEndPoint(host, port), options, cancellationToken);
    }

    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, EndPoint, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread; returns a protocol that serves nobody else.</param>
    /// <param name="socket">A connected stream socket. The transport takes it over: do not use it any more, whatever the outcome.</param>
    /// <param name="options">How the connection behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up; the socket is closed.</param>
    /// <exception cref="ArgumentException"><paramref name="socket"/> is not a connected stream socket. It is left as it was.</exception>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, Socket socket, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.SocketType != SocketType.Stream) throw new ArgumentException("A stream socket is needed.", nameof(socket));
        if (!socket.Connected) throw new ArgumentException("The socket is not connected.", nameof(socket));
        var connecting = AdoptAsync(protocolFactory, socket.SafeHandle, options, cancellationToken);
        if (!_core.IsOnThread) KeepUntilDone(socket, connecting);
        return connecting;
    }

    /// <summary>Connects to a Unix socket by its path. (asyncio: <c>create_unix_connection</c>.)</summary>
    /// <inheritdoc cref="CreateConnectionAsync{TProtocol}(Func{TProtocol}, EndPoint, ConnectionOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called once on the loop's thread when the connection is up; returns a protocol that serves nobody else.</param>
    /// <param name="path">The path of the socket's file.</param>
    /// <param name="options">How the connection behaves, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up: nothing stays open, and the protocol hears nothing.</param>
    public Task<(ITransport Transport, TProtocol Protocol)> CreateUnixConnectionAsync<TProtocol>(
        Func<TProtocol> protocolFactory, string path, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport>
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return CreateConnectionAsync(protocolFactory, UnixAddress.Of(path, nameof(path)), options, cancellationToken);
    }

    /// <summary>Adopts a connected stream by its handle: what backends that have no real sockets can take over too.</summary>
    internal Task<(ITransport Transport, TProtocol Protocol)> AdoptAsync<TProtocol>(
        Func<TProtocol> protocolFactory, SafeHandle socket, ConnectionOptions? options = null, CancellationToken cancellationToken = default)
        where TProtocol : class, IProtocol<ITransport> =>
        new Connector<TProtocol>(this, protocolFactory, null, socket, Checked(options ?? ConnectionOptions.Default), cancellationToken).Start();

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
    private static void KeepUntilDone(Socket socket, Task connecting) => connecting.ContinueWith(
        static (_, kept) => GC.KeepAlive(kept), socket, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static EndPoint WithoutNames(EndPoint address) =>
        address is DnsEndPoint name && IPAddress.TryParse(name.Host, out var literal) ? new IPEndPoint(literal, name.Port) : address;

    private static void CheckAddress(EndPoint address, string parameter)
    {
        if (address is not (IPEndPoint or DnsEndPoint or UnixDomainSocketEndPoint))
        {
            throw new ArgumentException($"{address.GetType()} is neither an IPEndPoint, a DnsEndPoint nor a UnixDomainSocketEndPoint.", parameter);
        }

        if (address is UnixDomainSocketEndPoint unix) UnixAddress.Check(unix, parameter);
    }

    private static TOptions Checked<TOptions>(TOptions options) where TOptions : StreamOptions
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.MaxWriteBufferSize, nameof(options));
        return options;
    }
}
