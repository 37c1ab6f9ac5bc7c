using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Serving;

namespace Sluice;

/// <content>Serving sockets that existed before: the caller's own, and those that the process was started with.</content>
public sealed partial class EventLoop
{
    /// <summary>Serves a socket that is bound already. (asyncio: <c>create_server</c> with <c>sock</c>.)</summary>
    /// <remarks>
    /// The socket's options stay as they are, and so does the backlog of one that listens already. What <see cref="StreamOptions.NoDelay"/>
    /// and <see cref="StreamOptions.KeepAlive"/> ask for is set on the connections, and what they inherit and would break a promise (SO_LINGER, SO_RCVLOWAT, TCP_CORK) is put right there. The file of a Unix socket stays when the server closes; the Unix method removes it.
    /// </remarks>
    /// <inheritdoc cref="CreateServerAsync(Func{IProtocol{ITransport}}, EndPoint, ServerOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="socket">
    /// A bound stream socket, listening or not. The server takes it over: do not use it any more, whatever the outcome, and do not dispose of it if you
    /// bound it to a path, because .NET then removes that file.
    /// </param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open; the socket is closed.</param>
    /// <exception cref="ArgumentException"><paramref name="socket"/> is not a bound stream socket, or is a connected one. It is left as it was.</exception>
    /// <exception cref="ObjectDisposedException">The socket is disposed of, or the loop has ended.</exception>
    /// <exception cref="SocketException">In the task: the system refuses to listen.</exception>
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, Socket socket, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        CheckListener(socket);
        return ServeSocketAsync(protocolFactory, socket, ListenerOwnership.Owned, options, cancellationToken);
    }

    /// <summary>
    /// Serves a Unix socket that is bound already. Its file is removed when the server closes, if it is still the same file and the options do not
    /// say otherwise. (asyncio: <c>create_unix_server</c> with <c>sock</c>.)
    /// </summary>
    /// <inheritdoc cref="CreateServerAsync(Func{IProtocol{ITransport}}, Socket, ServerOptions?, CancellationToken)"/>
    public Task<Server> CreateUnixServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, Socket socket, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.AddressFamily != AddressFamily.Unix) throw new ArgumentException("A Unix stream socket is needed.", nameof(socket));
        CheckListener(socket);
        return ServeSocketAsync(protocolFactory, socket, ListenerOwnership.OwnedWithFile, options, cancellationToken);
    }

    /// <summary>
    /// Serves the listening sockets that the options carry: those that this process was started with, from
    /// <c>ServerOptions.FromSystemd</c>. (asyncio has no counterpart.)
    /// </summary>
    /// <remarks>
    /// The sockets stay the process's. The server works on duplicates, so closing it leaves them open, listening and unchanged for another server, and never removes a
    /// Unix socket's file. One thing is changed for all who hold them, because the loop may not wait in a call: they no longer block (O_NONBLOCK).
    /// </remarks>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="options">The sockets, and how the server and its connections behave.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    /// <exception cref="ArgumentException">The options carry no sockets.</exception>
    /// <exception cref="SocketException">In the task: a socket does not listen any more.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, ServerOptions options, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.HandedOver.Count == 0)
        {
            throw new ArgumentException("These options carry no sockets: name an address to listen at, or take them from ServerOptions.FromSystemd.", nameof(options));
        }

        return ServeHandlesAsync(protocolFactory, options.HandedOver, ListenerOwnership.Borrowed, options, cancellationToken);
    }

    /// <summary>Serves bound sockets by their handles: what backends that have no real sockets can serve too.</summary>
    internal Task<Server> ServeHandlesAsync(
        Func<IProtocol<ITransport>> protocolFactory,
        IReadOnlyList<SafeHandle> sockets,
        ListenerOwnership ownership,
        ServerOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        options = CheckedForServing(options ?? ServerOptions.Default);
        if (cancellationToken.IsCancellationRequested)
        {
            if (ownership != ListenerOwnership.Borrowed) foreach (var socket in sockets) socket.Dispose();
            return Task.FromCanceled<Server>(cancellationToken);
        }

        var server = new Server(this, protocolFactory, options, CallbackContext.Capture());
        return OnLoop(() => OpenServer(server, () => ServerAddresses.OpenAll(sockets, socket => server.Adopt(socket, ownership))));
    }

    [SuppressMessage("Usage", "CA1816", Justification = "The socket is ours from here on, and its finalizer would remove a live server's file.")]
    private Task<Server> ServeSocketAsync(
        Func<IProtocol<ITransport>> protocolFactory, Socket socket, ListenerOwnership ownership, ServerOptions? options, CancellationToken cancellationToken)
    {
        var serving = ServeHandlesAsync(protocolFactory, [socket.SafeHandle], ownership, options, cancellationToken);

        // Its handle closes the descriptor. What would be left to its finalizer is to remove the file that it was bound to.
        GC.SuppressFinalize(socket);
        return serving;
    }

    private static bool IsBound(Socket socket)
    {
        try
        {
            return socket.IsBound && socket.LocalEndPoint switch
            {
                null or IPEndPoint { Port: 0 } => false,
                UnixDomainSocketEndPoint name => name.ToString().Length > 0,
                _ => true,
            };
        }
        catch (ArgumentException)
        {
            // A name that .NET's Socket cannot say is a name.
            return true;
        }
    }

    private static void CheckListener(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.SocketType != SocketType.Stream) throw new ArgumentException("A stream socket is needed.", nameof(socket));
        ObjectDisposedException.ThrowIf(socket.SafeHandle.IsClosed, socket);
        if (socket.Connected) throw new ArgumentException("The socket is connected; a listening or bound one is needed.", nameof(socket));
        if (!IsBound(socket)) throw new ArgumentException("The socket is not bound to an address.", nameof(socket));
    }
}
