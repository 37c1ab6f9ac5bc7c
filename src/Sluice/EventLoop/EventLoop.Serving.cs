using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;

namespace Sluice;

/// <content>Serving.</content>
public sealed partial class EventLoop
{
    /// <summary>
    /// Listens on an address and gives each connection a protocol. (asyncio: <c>create_server</c>, <c>create_unix_server</c>.)
    /// </summary>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="local">An <see cref="IPEndPoint"/> (port 0: the system chooses), a <see cref="DnsEndPoint"/> whose addresses are all bound, or a <see cref="UnixDomainSocketEndPoint"/>.</param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    /// <exception cref="SocketException">In the task: the address cannot be bound, or a live server has it.</exception>
    /// <exception cref="ObjectDisposedException">The loop has ended.</exception>
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, EndPoint local, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(protocolFactory);
        ArgumentNullException.ThrowIfNull(local);
        CheckAddress(local, nameof(local));
        options = Checked(options ?? ServerOptions.Default);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Backlog, nameof(options));
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<Server>(cancellationToken);
        var server = new Server(this, protocolFactory, options, CallbackContext.Capture());
        local = WithoutNames(local);
        return local is DnsEndPoint name ? ServeNameAsync(server, name, cancellationToken) : OnLoop(() => OpenServer(server, [local]));
    }

    /// <inheritdoc cref="CreateServerAsync(Func{IProtocol{ITransport}}, EndPoint, ServerOptions?, CancellationToken)"/>
    /// <param name="protocolFactory">Called on the loop's thread for each connection, in this caller's ExecutionContext; returns a protocol that serves nobody else.</param>
    /// <param name="host">A name or an address literal.</param>
    /// <param name="port">The port; 0 lets the system choose.</param>
    /// <param name="options">How the server and its connections behave, or null for the defaults.</param>
    /// <param name="cancellationToken">Gives up before the server is open.</param>
    public Task<Server> CreateServerAsync(
        Func<IProtocol<ITransport>> protocolFactory, string host, int port, ServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(host);
        return CreateServerAsync(protocolFactory, new DnsEndPoint(host, port), options, cancellationToken);
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
        OpenServer(server, () =>
        {
            foreach (var address in addresses) server.Bind(address);
        });

    private static Server OpenServer(Server server, Action bind)
    {
        try
        {
            bind();
            server.Open();
            return server;
        }
        catch
        {
            server.Close();
            throw;
        }
    }

    private async Task<Server> ServeNameAsync(Server server, DnsEndPoint name, CancellationToken cancellationToken)
    {
        var addresses = await InvokeAsync(() => new Resolution(_core.Backend, name, cancellationToken).Task);
        return await OnLoop(() => OpenServer(server, addresses));
    }

    /// <summary>The addresses of a name as a task.</summary>
    private sealed class Resolution : IResolveSink
    {
        private readonly TaskCompletionSource<IReadOnlyList<EndPoint>> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Resolution(IoBackend backend, DnsEndPoint name, CancellationToken cancellationToken)
        {
            backend.Resolve(name.Host, name.Port, this);
            cancellationToken.UnsafeRegister(static (source, token) => ((TaskCompletionSource<IReadOnlyList<EndPoint>>)source!).TrySetCanceled(token), _source);
        }

        public Task<IReadOnlyList<EndPoint>> Task => _source.Task;

        public void OnResolved(IReadOnlyList<IPEndPoint> addresses) => _source.TrySetResult(addresses);

        public void OnResolveFailed(Exception reason) => _source.TrySetException(reason);
    }
}
