using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Transports;

namespace Sluice.Connecting;

/// <summary>
/// One end of a pipe on its way from a handle to a transport whose ConnectionMade has been called.
/// </summary>
/// <typeparam name="TTransport">How user and protocol know the transport.</typeparam>
/// <typeparam name="TProtocol">The protocol.</typeparam>
internal sealed class PipeConnector<TTransport, TProtocol> : Opening<TTransport, TProtocol>, IStartWaiter
    where TTransport : class, IBaseTransport
    where TProtocol : class, IProtocol<TTransport>
{
    private readonly Func<TProtocol> _factory;
    private readonly SafeHandle _handle;
    private readonly object _pipe;
    private readonly PipeEnd _end;
    private readonly MakePipeTransport<TTransport> _make;
    private StreamTransport? _transport;
    private TProtocol? _protocol;

    /// <param name="loop">The loop.</param>
    /// <param name="factory">Makes the protocol.</param>
    /// <param name="handle">The descriptor.</param>
    /// <param name="pipe">What the user gave, the handle or what holds it: kept alive from here on.</param>
    /// <param name="end">What it is for.</param>
    /// <param name="make">Makes the transport.</param>
    /// <param name="cancellation">Gives up.</param>
    public PipeConnector(
        LoopServices loop, Func<TProtocol> factory, SafeHandle handle, object pipe, PipeEnd end, MakePipeTransport<TTransport> make, CancellationToken cancellation)
        : base(loop, cancellation)
    {
        _factory = factory;
        _handle = handle;
        _pipe = pipe;
        _end = end;
        _make = make;
    }

    void IStartWaiter.OnStarted(StreamTransport transport) => Succeed((TTransport)(object)transport, _protocol!);

    private protected override void Open()
    {
        try
        {
            MakeTransport(Core.Backend.OpenPipe(_handle, _end));
        }
        catch (Exception exception)
        {
            Fail(exception);
        }
    }

    private protected override void DropGiven() => _handle.Dispose();

    private protected override void GiveUp() => _transport?.Abandon(reset: true);

    private void MakeTransport(StreamChannel channel)
    {
        try
        {
            _protocol = ProtocolFactory.Make<TTransport, TProtocol>(_factory, _context);
            var origin = new TransportOrigin(_loop.Members.Connections, ConnectionOptions.Default, _context, this);
            _transport = _make(Core, channel, _protocol, origin, _pipe);
        }
        catch
        {
            channel.Close(reset: true);
            throw;
        }
    }
}

/// <summary>Makes the transport over one end of a pipe.</summary>
internal delegate StreamTransport MakePipeTransport<TTransport>(
    LoopCore loop, StreamChannel channel, IProtocol<TTransport> protocol, in TransportOrigin origin, object pipe)
    where TTransport : class, IBaseTransport;
