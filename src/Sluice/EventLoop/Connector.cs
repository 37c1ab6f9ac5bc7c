using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Tls;
using Sluice.Transports;

namespace Sluice;

/// <summary>
/// One connect on its way from what a caller named, or a socket, to a transport whose ConnectionMade has been called: what there is to do once the
/// channel is there, and whom to tell. Owned by nobody but the loop's residents; lives on the loop's thread after <see cref="Start"/>.
/// </summary>
internal sealed class Connector<TProtocol> : ILoopWork, IDialSink, IStartWaiter, IResident
    where TProtocol : class, IProtocol<ITransport>
{
    private const int Begin = 0;
    private const int Cancel = 1;

    private readonly EventLoop _loop;
    private readonly Func<TProtocol> _factory;
    private readonly StreamOptions _options;
    private readonly CancellationToken _cancellation;
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly TaskCompletionSource<(ITransport, TProtocol)> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SafeHandle? _socket;
    private readonly Dialer? _dialer;
    private CancellationTokenRegistration _registration;
    private readonly TlsRole? _tls;
    private DuplexTransport? _transport;
    private TProtocol? _protocol;

    /// <summary>For a connection that is still to be opened.</summary>
    public Connector(
        EventLoop loop, Func<TProtocol> factory, AddressQuery remote, AddressQuery? local, ConnectionOptions options, TlsRole? tls, CancellationToken cancellation)
        : this(loop, factory, options, tls, cancellation) => _dialer = new Dialer(loop, remote, local, options, _context, this);

    /// <summary>For one that exists. The socket is closed, whatever goes wrong.</summary>
    public Connector(EventLoop loop, Func<TProtocol> factory, SafeHandle socket, StreamOptions options, TlsRole? tls, CancellationToken cancellation)
        : this(loop, factory, options, tls, cancellation) => _socket = socket;

    private Connector(EventLoop loop, Func<TProtocol> factory, StreamOptions options, TlsRole? tls, CancellationToken cancellation)
    {
        _loop = loop;
        _factory = factory;
        _options = options;
        _tls = tls;
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

    void IDialSink.OnConnected(StreamChannel channel) => MakeTransport(channel);

    void IDialSink.OnFailed(Exception reason) => Fail(reason);

    void IStartWaiter.OnStarted(StreamTransport transport)
    {
        Finish();
        _source.TrySetResult((_transport!, _protocol!));
    }

    void IStartWaiter.OnFailed(Exception reason) => Fail(reason);

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
        if (_dialer is not null) _dialer.Start();
        else Adopt();
    }

    private void Adopt()
    {
        StreamChannel channel;
        try
        {
            channel = Core.Backend.Adopt(_socket!, _options);
        }
        catch (Exception exception)
        {
            Fail(exception);
            return;
        }

        MakeTransport(channel);
    }

    private void MakeTransport(StreamChannel channel)
    {
        try
        {
            var origin = new TransportOrigin(_loop.Residents.Connections, _options, _context, this);
            _transport = _tls is null
                ? SocketTransport.Create(Core, channel, MakeProtocol, origin)
                : TlsTransport.Create(Core, channel, MakeProtocol, origin, _tls, _loop.Tls);
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
        _dialer?.Cancel();
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
