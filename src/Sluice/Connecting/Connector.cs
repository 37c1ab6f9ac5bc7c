using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Names;
using Sluice.Tls;
using Sluice.Transports;

namespace Sluice.Connecting;

/// <summary>
/// One connect on its way from what a caller named, or a socket, to a transport whose ConnectionMade has been called: what there is to do once the
/// channel is there, and whom to tell.
/// </summary>
internal sealed class Connector<TProtocol> : Opening<ITransport, TProtocol>, IDialSink, IStartWaiter
    where TProtocol : class, IProtocol<ITransport>
{
    private readonly Func<TProtocol> _factory;
    private readonly StreamOptions _options;
    private readonly SafeHandle? _socket;
    private readonly Dialer? _dialer;
    private readonly TlsRole? _tls;
    private StreamTransport? _transport;
    private TProtocol? _protocol;

    /// <summary>For a connection that is still to be opened.</summary>
    public Connector(
        LoopServices loop, Func<TProtocol> factory, AddressQuery remote, AddressQuery? local, ConnectionOptions options, TlsRole? tls, CancellationToken cancellation)
        : this(loop, factory, options, tls, cancellation) => _dialer = new Dialer(loop, remote, local, options, _context, this);

    /// <summary>For one that exists. The socket is closed, whatever goes wrong.</summary>
    public Connector(LoopServices loop, Func<TProtocol> factory, SafeHandle socket, StreamOptions options, TlsRole? tls, CancellationToken cancellation)
        : this(loop, factory, options, tls, cancellation) => _socket = socket;

    private Connector(LoopServices loop, Func<TProtocol> factory, StreamOptions options, TlsRole? tls, CancellationToken cancellation)
        : base(loop, cancellation)
    {
        _factory = factory;
        _options = options;
        _tls = tls;
    }

    void IDialSink.OnConnected(StreamChannel channel) => MakeTransport(channel);

    void IDialSink.OnFailed(Exception reason) => Fail(reason);

    void IStartWaiter.OnStarted(StreamTransport transport) => Succeed((ITransport)transport, _protocol!);

    void IStartWaiter.OnFailed(Exception reason) => Fail(reason);

    private protected override void Open()
    {
        if (_dialer is not null) _dialer.Start();
        else Adopt();
    }

    private protected override void DropGiven() => _socket?.Dispose();

    private protected override void GiveUp()
    {
        _dialer?.Cancel();
        _transport?.Abandon(reset: true);
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
            var origin = new TransportOrigin(_loop.Members.Connections, _options, _context, this);
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
}
