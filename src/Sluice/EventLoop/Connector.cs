using System.Net;
using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;
using Sluice.Transports;

namespace Sluice;

/// <summary>
/// One connect on its way from an address or a socket to a transport whose ConnectionMade has been called: resolves, tries the addresses in
/// order, makes the protocol. Owned by nobody but the loop's residents; lives on the loop's thread after <see cref="Start"/>.
/// </summary>
internal sealed class Connector<TProtocol> : ILoopWork, IResolveSink, IConnectSink, IStartWaiter, IResident
    where TProtocol : class, IProtocol<ITransport>
{
    private const int Begin = 0;
    private const int Cancel = 1;

    private readonly EventLoop _loop;
    private readonly Func<TProtocol> _factory;
    private readonly ConnectionOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly TaskCompletionSource<(ITransport, TProtocol)> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Queue<EndPoint> _addresses = new();
    private readonly List<Exception> _failures = [];
    private readonly EndPoint? _remote;
    private readonly SafeHandle? _socket;
    private CancellationTokenRegistration _registration;
    private EndPoint? _tried;
    private IoOperation? _operation;
    private SocketTransport? _transport;
    private TProtocol? _protocol;

    public Connector(EventLoop loop, Func<TProtocol> factory, EndPoint? remote, SafeHandle? socket, ConnectionOptions options, CancellationToken cancellation)
    {
        _loop = loop;
        _factory = factory;
        _remote = remote;
        _socket = socket;
        _options = options;
        _cancellation = cancellation;
    }

    private LoopCore Core => _loop.Core;

    /// <summary>Begins, here where this is the loop's thread, else there.</summary>
    public Task<(ITransport Transport, TProtocol Protocol)> Start()
    {
        if (Core.IsOnThread) Run(Begin);
        else if (!Core.TryPost(this, Begin)) throw new ObjectDisposedException(nameof(EventLoop), "The event loop is closed.");
        return _source.Task;
    }

    public void Run(int code)
    {
        if (_source.Task.IsCompleted) return;
        if (code == Cancel) GiveUp();
        else BeginConnecting();
    }

    public void Abandon()
    {
        _socket?.Dispose();
        _source.TrySetCanceled(_cancellation);
    }

    public void EndWithLoop() => GiveUp();

    void IResolveSink.OnResolved(IReadOnlyList<IPEndPoint> addresses)
    {
        _operation = null;
        foreach (var address in addresses) _addresses.Enqueue(address);
        TryNext();
        Core.EndStep();
    }

    void IResolveSink.OnResolveFailed(Exception reason)
    {
        _operation = null;
        Fail(reason);
        Core.EndStep();
    }

    void IConnectSink.OnConnected(StreamChannel channel)
    {
        _operation = null;
        MakeTransport(channel);
        Core.EndStep();
    }

    void IConnectSink.OnConnectFailed(IoError reason)
    {
        _operation = null;
        _failures.Add(reason.ToException($"connect to {_tried}"));
        TryNext();
        Core.EndStep();
    }

    void IStartWaiter.OnStarted(StreamTransport transport)
    {
        Finish();
        _source.TrySetResult((transport, _protocol!));
    }

    private void BeginConnecting()
    {
        if (_cancellation.IsCancellationRequested)
        {
            _socket?.Dispose();
            _source.TrySetCanceled(_cancellation);
            return;
        }

        _loop.Residents.Add(this);
        _registration = _cancellation.UnsafeRegister(static self => ((Connector<TProtocol>)self!).PostCancel(), this);
        if (_socket is not null)
        {
            Adopt(_socket);
            return;
        }

        if (_remote is DnsEndPoint name)
        {
            _operation = Core.Backend.Resolve(name.Host, name.Port, this);
            return;
        }

        _addresses.Enqueue(_remote!);
        TryNext();
    }

    private void Adopt(SafeHandle socket)
    {
        StreamChannel channel;
        try
        {
            channel = Core.Backend.Adopt(socket, _options);
        }
        catch (Exception exception)
        {
            Fail(exception);
            return;
        }

        MakeTransport(channel);
    }

    private void TryNext()
    {
        if (_addresses.TryDequeue(out _tried)) _operation = Core.Backend.Connect(null, _tried, _options, this);
        else Fail(ConnectFailure.Merge(_failures));
    }

    private void MakeTransport(StreamChannel channel)
    {
        try
        {
            var origin = new TransportOrigin(_loop.Residents.Connections, _options, _context, this);
            _transport = SocketTransport.Create(Core, channel, MakeProtocol, origin);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    private TProtocol MakeProtocol() => _protocol = _factory();

    /// <summary>Cancelled, or the loop ends: nothing stays open, and no callback comes.</summary>
    private void GiveUp()
    {
        _operation?.Cancel();
        _transport?.Abandon(reset: true);
        Finish();
        _source.TrySetCanceled(_cancellation);
    }

    private void Fail(Exception exception)
    {
        Finish();
        _source.TrySetException(exception);
    }

    private void Finish()
    {
        _registration.Dispose();
        _loop.Residents.Remove(this);
    }

    private void PostCancel() => Core.TryPost(this, Cancel);
}
