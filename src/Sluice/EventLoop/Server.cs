using System.Net;
using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Ending;
using Sluice.Loop;
using Sluice.Serving;
using Sluice.Tls;
using Sluice.Transports;

namespace Sluice;

/// <summary>Listens on one or more addresses and gives each connection a protocol from its factory. (asyncio: <c>Server</c>.)</summary>
/// <remarks>
/// Made by <c>EventLoop.CreateServerAsync</c>; it serves whether or not somebody keeps it. Methods that act belong to the loop's thread;
/// those that end in <c>Async</c> and the properties may be used from any. An exception of the factory closes its connection and goes
/// to the loop's exception handler.
/// </remarks>
public sealed class Server : IAsyncDisposable, ILoopMember, IListenerOwner
{
    private readonly Func<IProtocol<ITransport>> _factory;
    private readonly ServerOptions _options;
    private readonly ExecutionContext? _context;
    private readonly ConnectionSet _connections;
    private readonly PeerAdmission _admission;
    private readonly IdleReplacement? _replacement;
    private readonly ServerHandshakes? _handshakes;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<ServerListener> _finishing = [];
    private IReadOnlyList<ServerListener> _listeners = [];
    private TaskCompletionSource? _forever;
    private Drain? _drain;
    private bool _isFull;
    private bool _isClosed;

    internal Server(EventLoop loop, Func<IProtocol<ITransport>> factory, ServerOptions options, ExecutionContext? context)
    {
        Loop = loop;
        _factory = factory;
        _options = options;
        _context = context;
        _admission = new PeerAdmission(loop.Core, options.UnixPeerFilter, context);
        _connections = new ConnectionSet(FinishIfDone);
        if (options.ReplaceIdleAfter is { } idle) _replacement = new IdleReplacement(_connections, idle);
        if (options.Tls is { } tls) _handshakes = new ServerHandshakes(loop.Core, TlsServerRole.Of(tls, nameof(options)), tls.MaxHandshakes);
    }

    /// <summary>The loop that it serves on. (asyncio: <c>get_loop</c>.)</summary>
    public EventLoop Loop { get; }

    /// <summary>True while it accepts connections.</summary>
    public bool IsServing { get; private set; }

    /// <summary>The listening sockets; empty once closed.</summary>
    public IReadOnlyList<TransportSocket> Sockets => [.. _listeners.Select(listener => listener.Socket).OfType<TransportSocket>()];

    /// <summary>Where it listens, with the ports that the system chose; empty once closed.</summary>
    public IReadOnlyList<EndPoint> EndPoints => [.. _listeners.Select(listener => listener.LocalName)];

    /// <summary>How many connections are live: accepted, and ConnectionLost has not returned. Those in a TLS handshake count.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>
    /// How many connections were reset because <see cref="ServerOptions.MaxConnections"/> were live, or <see cref="TlsServerOptions.MaxHandshakes"/>
    /// handshakes under way.
    /// </summary>
    public long RefusedConnectionCount { get; private set; }

    /// <summary>How many connections were aborted to make room for a new one: see <see cref="ServerOptions.ReplaceIdleAfter"/>.</summary>
    public long ReplacedConnectionCount => _replacement?.Count ?? 0;

    /// <summary>How many connections may be live at a time.</summary>
    internal int MaxConnections { get; private set; }

    LoopCore IListenerOwner.Core => Loop.Core;

    EndStage ILoopMember.Stage => EndStage.Servers;

    IEnumerable<ILoopTransport> ILoopMember.Transports => _connections.Snapshot();

    /// <summary>Starts accepting where <see cref="ServerOptions.StartServing"/> was false. Does nothing when serving. (asyncio: <c>start_serving</c>.)</summary>
    /// <exception cref="InvalidOperationException">In the task: the server is closed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">In the task: an address was taken meanwhile; the server is closed.</exception>
    public Task StartServingAsync() => Loop.OnLoop(() =>
    {
        StartServing();
        return true;
    });

    /// <summary>
    /// Serves until the token is cancelled or <see cref="Close"/> is called, and then throws <see cref="OperationCanceledException"/>. A
    /// cancelled token drains the server with <see cref="ServerOptions.DrainTimeout"/>: see <see cref="DrainAsync"/>. After
    /// a close it waits for the live connections to end, until the token is cancelled. (asyncio: <c>serve_forever</c>, which has no such limit of time.)
    /// </summary>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="InvalidOperationException">In the task: the server is closed, or somebody serves for ever already.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">In the task: an address was taken meanwhile; the server is closed.</exception>
    public async Task ServeForeverAsync(CancellationToken cancellationToken = default)
    {
        var forever = await Loop.OnLoop(BeginServingForever);
        try
        {
            using (cancellationToken.UnsafeRegister(static (source, token) => ((TaskCompletionSource)source!).TrySetCanceled(token), forever))
            {
                await forever.Task;
            }
        }
        finally
        {
            using (cancellationToken.UnsafeRegister(static server => ((Server)server!).StartDrain(), this)) await WaitClosedAsync();
        }
    }

    /// <summary>Stops listening at once. Live connections are left alone. Closing again does nothing. (asyncio: <c>close</c>.)</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public void Close()
    {
        Loop.Core.VerifyThread();
        EndListening(takesWhatWaits: false);
    }

    /// <summary>Closes the connections that are live now, gracefully. (asyncio: <c>close_clients</c>.)</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public void CloseClients()
    {
        Loop.Core.VerifyThread();
        foreach (var transport in _connections.Snapshot()) transport.Close();
    }

    /// <summary>Aborts the connections that are live now. (asyncio: <c>abort_clients</c>.)</summary>
    /// <exception cref="InvalidOperationException">Called off the loop's thread.</exception>
    public void AbortClients()
    {
        Loop.Core.VerifyThread();
        AbortAll();
    }

    /// <summary>
    /// Completes when the server is closed and its last connection is lost, in whichever order; at once where that is so already.
    /// (asyncio: <c>wait_closed</c>.)
    /// </summary>
    public Task WaitClosedAsync() => _finished.Task;

    /// <summary>
    /// Ends the server gracefully: serves the connections that wait to be accepted and listens no longer, has each connection's protocol told by
    /// <see cref="StreamProtocol.DrainRequested"/>, lets them finish, and aborts those that are left at the deadline. (asyncio has no counterpart.)
    /// </summary>
    /// <param name="deadline">
    /// How long they may take. Zero aborts at once and tells nobody; <see cref="Timeout.InfiniteTimeSpan"/> waits for ever. Of several calls under way the
    /// earliest deadline counts, and all get the same result.
    /// </param>
    /// <returns>Completes when the last connection is lost, with how they ended; at once where none is live or the loop has ended.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="deadline"/> is negative.</exception>
    public Task<DrainResult> DrainAsync(TimeSpan deadline)
    {
        CheckDeadline(deadline, nameof(deadline));
        return FinishDrainAsync(deadline);
    }

    /// <summary>Closes, and completes when the last connection is lost.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Loop.IsClosed) return;
        await Loop.OnLoop(() =>
        {
            Close();
            return true;
        });
        await WaitClosedAsync();
    }

    /// <summary>Where it listens, for logs.</summary>
    public override string ToString() => $"<Server {(_isClosed ? "closed" : string.Join(", ", EndPoints))}>";

    internal static void CheckDeadline(TimeSpan deadline, string parameter)
    {
        if (deadline < TimeSpan.Zero && deadline != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentOutOfRangeException(parameter, deadline, "A deadline is zero, positive or Timeout.InfiniteTimeSpan.");
        }
    }

    /// <summary>A socket at an address, for <see cref="Open"/>.</summary>
    internal ServerListener Bind(EndPoint local) => new(this, sink => Loop.Core.Backend.Listen(local, _options, sink));

    /// <summary>A socket that existed before, for <see cref="Open"/>.</summary>
    internal ServerListener Adopt(SafeHandle socket, ListenerOwnership ownership) =>
        new(this, sink => Loop.Core.Backend.AdoptListener(socket, ownership, _options, sink));

    /// <summary>Serves these sockets: it lives on the loop from here on.</summary>
    internal void Open(IReadOnlyList<ServerListener> listeners)
    {
        MaxConnections = _options.MaxConnections ?? (int)Math.Max(1, Loop.Core.Backend.DescriptorLimit * 4L / 5);
        _listeners = listeners;
        Loop.Members.Add(this);
        if (_options.StartServing) StartServing();
    }

    /// <summary>A connection has come in at a listener.</summary>
    void IListenerOwner.Accept(StreamChannel channel, ServerListener listener)
    {
        // A filter of the user's may close the server.
        if (!Takes(listener) || IsFull(listener) || !_admission.Admits(channel) || !Takes(listener) || !HasPlace())
        {
            channel.Close(reset: true);
            return;
        }

        try
        {
            var origin = new TransportOrigin(_connections, _options, _context, _handshakes);
            if (_handshakes is null)
            {
                var transport = SocketTransport.Create(Loop.Core, channel, _factory, origin);
                _drain?.Welcome(transport);
                return;
            }

            var secured = TlsTransport.Create(Loop.Core, channel, _factory, origin, _handshakes.Role, Loop.Services.Tls);
            _handshakes.Count++;
            _drain?.Welcome(secured);
        }
        catch (Exception exception)
        {
            listener.Report("Error on transport creation for incoming connection", exception);
        }
    }

    /// <summary>During a drain: a listener has handed over all that waited there.</summary>
    void IListenerOwner.OnFinished(ServerListener listener)
    {
        _finishing.Remove(listener);
        FinishIfDone();
    }

    /// <summary>The loop begins to end: no new connections, and what is open goes. What is closing may go on for a while.</summary>
    void ILoopMember.BeginEndWithLoop()
    {
        Close();
        _drain?.EndOpen();
    }

    void ILoopMember.EndWithLoop()
    {
        Close();
        AbortAll();
        Finish();
    }

    private void AbortAll()
    {
        if (_drain is { } drain) drain.AbortRest();
        else foreach (var transport in _connections.Snapshot()) transport.Abort();
    }

    private bool Takes(ServerListener listener) => !_isClosed || _finishing.Contains(listener);

    private void EndListening(bool takesWhatWaits)
    {
        if (!takesWhatWaits) DropFinishing();
        if (!_isClosed)
        {
            _isClosed = true;
            IsServing = false;
            var listeners = _listeners;
            _listeners = [];
            foreach (var listener in listeners)
            {
                if (takesWhatWaits && listener.Finish()) _finishing.Add(listener);
                else listener.Close();
            }

            _forever?.TrySetCanceled();
        }

        FinishIfDone();
    }

    /// <summary>The time of a drain is over.</summary>
    private void EndFinishing()
    {
        DropFinishing();
        FinishIfDone();
    }

    private void DropFinishing()
    {
        foreach (var listener in _finishing) listener.Close();
        _finishing.Clear();
    }

    private bool IsFull(ServerListener listener)
    {
        var wasFull = _isFull;
        var handshakesAreMany = _handshakes is { IsFull: true };
        _isFull = handshakesAreMany || (_connections.Count >= MaxConnections && _replacement?.HasOne(Loop.Time) is not true);
        if (!_isFull) return false;
        RefusedConnectionCount++;
        if (wasFull) return true;
        listener.Report(handshakesAreMany
            ? $"The server has {_handshakes!.Count} TLS handshakes under way, as many as it may: more connections are reset"
            : $"The server has {MaxConnections} connections, as many as it may: more are reset");
        return true;
    }

    /// <summary>The new connection has a place, perhaps in place of one that has been idle for long.</summary>
    private bool HasPlace() => _replacement is null || _connections.Count < MaxConnections || _replacement.TryLetOneGo(Loop.Time);

    private void StartServing()
    {
        if (_isClosed) throw new InvalidOperationException("The server is closed.");
        if (IsServing) return;
        try
        {
            foreach (var listener in _listeners) listener.StartAccepting();
            IsServing = true;
        }
        catch
        {
            Close();
            throw;
        }
    }

    private TaskCompletionSource BeginServingForever()
    {
        if (_forever is not null && !_isClosed) throw new InvalidOperationException("ServeForeverAsync is already being awaited.");
        StartServing();
        return _forever = Loop.CreateFuture();
    }

    private async Task<DrainResult> FinishDrainAsync(TimeSpan deadline)
    {
        if (Loop.IsClosed) return default;
        Drain drain;
        try
        {
            drain = await Loop.OnLoop(() => BeginDrain(deadline));
        }
        catch (Exception exception) when (Loop.IsClosed && exception is ObjectDisposedException or OperationCanceledException)
        {
            // It ended on the way there, and all connections with it.
            return default;
        }

        return await drain.Task;
    }

    private Drain BeginDrain(TimeSpan deadline)
    {
        EndListening(takesWhatWaits: deadline != TimeSpan.Zero && _options.DrainServesBacklog);
        var isFirst = _drain is null;
        var drain = _drain ??= new Drain(Loop.Core, _connections, _options.DrainGrace, EndFinishing);
        if (isFirst && deadline != TimeSpan.Zero) drain.TellAll();
        drain.Limit(deadline);
        FinishIfDone();
        return drain;
    }

    /// <summary>The token of ServeForeverAsync is cancelled. On any thread, perhaps after the loop's end.</summary>
    private void StartDrain() => _ = DrainAsync(_options.DrainTimeout);

    private void FinishIfDone()
    {
        if (_isClosed && _finishing.Count == 0 && _connections.Count == 0) Finish();
    }

    private void Finish()
    {
        Loop.Members.Remove(this);
        _finished.TrySetResult();
        _drain?.Finish();
        _drain = null;
    }
}
