using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Names;
using Sluice.Transports;

namespace Sluice.Connecting;

/// <summary>
/// One datagram endpoint on its way from what a caller named, or a socket, to a transport whose ConnectionMade has been called.
/// </summary>
internal sealed class EndpointOpener<TProtocol> : Opening<IDatagramTransport, TProtocol>, ILookupSink<IReadOnlyList<IPAddress>>, IEndpointWaiter
    where TProtocol : class, IProtocol<IDatagramTransport>
{
    private readonly Func<TProtocol> _factory;
    private readonly DatagramOptions _options;
    private readonly SafeHandle? _socket;
    private readonly DatagramEnds? _ends;
    private IReadOnlyList<EndPoint>? _locals;
    private IReadOnlyList<EndPoint>? _remotes;
    private IoOperation? _lookup;
    private DatagramTransport? _transport;
    private TProtocol? _protocol;

    /// <summary>For a socket that is still to be opened.</summary>
    public EndpointOpener(LoopServices loop, Func<TProtocol> factory, DatagramEnds ends, DatagramOptions options, CancellationToken cancellation)
        : this(loop, factory, options, cancellation)
    {
        _ends = ends;
        _locals = ends.Local?.Known;
        _remotes = ends.Remote?.Known;
    }

    /// <summary>For one that exists. It is closed, whatever goes wrong.</summary>
    public EndpointOpener(LoopServices loop, Func<TProtocol> factory, SafeHandle socket, DatagramOptions options, CancellationToken cancellation)
        : this(loop, factory, options, cancellation) => _socket = socket;

    private EndpointOpener(LoopServices loop, Func<TProtocol> factory, DatagramOptions options, CancellationToken cancellation)
        : base(loop, cancellation)
    {
        _factory = factory;
        _options = options;
    }

    void ILookupSink<IReadOnlyList<IPAddress>>.OnFound(IReadOnlyList<IPAddress> answer)
    {
        _lookup = null;
        if (_ends!.Local is { } local && _locals is null) _locals = local.WithPort(answer);
        else _remotes = _ends.Remote!.WithPort(answer);
        GoOn();
        Core.EndStep();
    }

    void ILookupSink<IReadOnlyList<IPAddress>>.OnNotFound(Exception reason)
    {
        _lookup = null;
        Fail(reason);
        Core.EndStep();
    }

    void IEndpointWaiter.OnStarted(DatagramTransport transport) => Succeed(transport, _protocol!);

    private protected override void Open() => GoOn();

    private protected override void DropGiven() => _socket?.Dispose();

    private protected override void GiveUp()
    {
        _lookup?.Cancel();
        _transport?.Abandon();
    }

    /// <summary>Asks for the names that are not known yet, the local one first, and then opens.</summary>
    private void GoOn()
    {
        try
        {
            if (_ends?.Local is { } local && _locals is null) _lookup = LookUp(local);
            else if (_ends?.Remote is { } remote && _remotes is null) _lookup = LookUp(remote);
            else MakeTransport(_socket is null ? OpenSocket(out var receiver) : Adopt(out receiver), receiver);
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    private IoOperation LookUp(AddressQuery query) => _loop.Names.Resolve(query.Host, query.Family, _context, this);

    private DatagramChannel Adopt(out EndPoint? receiver)
    {
        receiver = null;
        return Core.Backend.AdoptDatagram(_socket!, _options);
    }

    // An endpoint that may broadcast is not connected: answers to a broadcast come from others than its address.
    private DatagramChannel OpenSocket(out EndPoint? receiver)
    {
        SocketException? first = null;
        foreach (var (family, local, remote) in _ends!.Pair(_locals, _remotes))
        {
            try
            {
                receiver = _options.AllowBroadcast ? remote : null;
                return Core.Backend.OpenDatagram(family, local, _options.AllowBroadcast ? null : remote, _options);
            }
            catch (SocketException reason)
            {
                first ??= reason;
            }
        }

        throw first!;
    }

    private void MakeTransport(DatagramChannel channel, EndPoint? receiver)
    {
        var origin = new DatagramOrigin(_loop.Members.Endpoints, _options, _context, this, receiver);
        _transport = DatagramTransport.Create(Core, channel, MakeProtocol, origin);
    }

    private TProtocol MakeProtocol() => _protocol = _factory();
}
