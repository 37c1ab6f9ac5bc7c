using System.Net;
using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Primitives;
using Sluice.Transports;

namespace Sluice;

/// <summary>Listens on one or more addresses and gives each connection a protocol from its factory. (asyncio: <c>Server</c>.)</summary>
/// <remarks>
/// Made by <c>EventLoop.CreateServerAsync</c>; it serves whether or not somebody keeps it. Methods that act belong to the loop's thread;
/// those that end in <c>Async</c> and the properties may be used from any. An exception of the factory closes its connection and goes
/// to the loop's exception handler.
/// </remarks>
public sealed class Server : IAsyncDisposable, IListenSink, IResident
{
    private readonly EventLoop _loop;
    private readonly Func<IProtocol<ITransport>> _factory;
    private readonly ServerOptions _options;
    private readonly ExecutionContext? _context;
    private readonly PeerAdmission _admission;
    private readonly List<ListenChannel> _listeners = [];
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _forever;
    private bool _isClosed;

    internal Server(EventLoop loop, Func<IProtocol<ITransport>> factory, ServerOptions options, ExecutionContext? context)
    {
        _loop = loop;
        _factory = factory;
        _options = options;
        _context = context;
        _admission = new PeerAdmission(loop.Core, options.UnixPeerFilter, context);
        Connections = new ConnectionSet(FinishIfDone);
    }

    /// <summary>True while it accepts connections.</summary>
    public bool IsServing { get; private set; }

    /// <summary>The listening sockets; empty once closed.</summary>
    public IReadOnlyList<TransportSocket> Sockets => _isClosed ? [] : [.. _listeners.Select(listener => listener.Socket).OfType<TransportSocket>()];

    /// <summary>Where it listens, with the ports that the system chose; empty once closed.</summary>
    public IReadOnlyList<EndPoint> EndPoints => _isClosed ? [] : [.. _listeners.Select(listener => listener.LocalName)];

    internal ConnectionSet Connections { get; }

    /// <summary>Starts accepting where <see cref="ServerOptions.StartServing"/> was false. Does nothing when serving.</summary>
    /// <exception cref="InvalidOperationException">The server is closed.</exception>
    public Task StartServingAsync() => _loop.OnLoop(() =>
    {
        StartServing();
        return true;
    });

    /// <summary>
    /// Serves until the token is cancelled or <see cref="Close"/> is called; then closes, waits for the live connections to end, and throws
    /// <see cref="OperationCanceledException"/>.
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">The server is closed, or somebody serves for ever already.</exception>
    public async Task ServeForeverAsync(CancellationToken cancellationToken = default)
    {
        var forever = await _loop.OnLoop(() =>
        {
            if (_forever is not null) throw new InvalidOperationException("ServeForeverAsync runs already.");
            StartServing();
            return _forever = _loop.CreateFuture();
        });
        using var registration = cancellationToken.UnsafeRegister(static (source, token) => ((TaskCompletionSource)source!).TrySetCanceled(token), forever);
        try
        {
            await forever.Task;
        }
        finally
        {
            await DisposeAsync();
        }
    }

    /// <summary>Stops listening at once. Live connections are left alone. Closing again does nothing.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public void Close()
    {
        _loop.Core.VerifyThread();
        if (_isClosed) return;
        _isClosed = true;
        IsServing = false;
        foreach (var listener in _listeners) listener.Close();
        _forever?.TrySetCanceled();
        FinishIfDone();
    }

    /// <summary>Closes the connections that are live now, gracefully.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public void CloseClients()
    {
        _loop.Core.VerifyThread();
        foreach (var transport in Connections.Snapshot()) transport.Close();
    }

    /// <summary>Aborts the connections that are live now.</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public void AbortClients()
    {
        _loop.Core.VerifyThread();
        foreach (var transport in Connections.Snapshot()) transport.Abort();
    }

    /// <summary>Completes when the server is closed and its last connection is lost, in whichever order; at once where that is so already.</summary>
    public Task WaitClosedAsync() => _finished.Task;

    /// <summary>Closes, and completes when the last connection is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_loop.IsClosed) return;
        await _loop.OnLoop(() =>
        {
            Close();
            return true;
        });
        await WaitClosedAsync();
    }

    /// <summary>Where it listens, for logs.</summary>
    public override string ToString() => $"<Server {(_isClosed ? "closed" : string.Join(", ", EndPoints))}>";

    /// <summary>Binds one more address.</summary>
    internal void Bind(EndPoint local) => Add(_loop.Core.Backend.Listen(local, _options, this));

    /// <summary>Serves one more socket that existed before.</summary>
    internal void Adopt(SafeHandle socket, ListenerOwnership ownership) => Add(_loop.Core.Backend.AdoptListener(socket, ownership, _options, this));

    /// <summary>All addresses are bound: the server lives on the loop from here on.</summary>
    internal void Open()
    {
        _loop.Residents.Add(this);
        if (_options.StartServing) StartServing();
    }

    void IResident.EndWithLoop()
    {
        Close();
        _finished.TrySetResult();
    }

    void IListenSink.OnAccepted(StreamChannel channel)
    {
        if (_isClosed || !_admission.Admits(channel) || _isClosed)
        {
            channel.Close(reset: true);
            _loop.Core.EndStep();
            return;
        }

        try
        {
            SocketTransport.Create(_loop.Core, channel, _factory, new TransportOrigin(Connections, _options, _context, null));
        }
        catch (Exception exception)
        {
            _loop.Core.Errors.Report(new ExceptionContext("Error on transport creation for incoming connection")
            {
                Exception = exception,
                EndPoint = _listeners[0].LocalName,
            });
        }

        _loop.Core.EndStep();
    }

    void IListenSink.OnAcceptFailed(IoError reason)
    {
        _loop.Core.Errors.Report(new ExceptionContext(reason.IsOutOfResources ? "Accept is out of system resources" : "Accept failed")
        {
            Exception = reason.ToException(),
            EndPoint = _listeners[0].LocalName,
        });
        _loop.Core.EndStep();
    }

    private void Add(ListenChannel listener)
    {
        _listeners.Add(listener);
        if (listener.Warning is { } warning) _loop.Core.Errors.LogWarning(warning);
    }

    private void StartServing()
    {
        if (_isClosed) throw new InvalidOperationException("The server is closed.");
        if (IsServing) return;
        IsServing = true;
        foreach (var listener in _listeners) listener.StartAccepting();
    }

    private void FinishIfDone()
    {
        if (!_isClosed || Connections.Count > 0) return;
        _loop.Residents.Remove(this);
        _finished.TrySetResult();
    }
}
