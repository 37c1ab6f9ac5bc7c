using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Transports;

namespace Sluice;

/// <summary>
/// One end of a pipe on its way from a handle to a transport whose ConnectionMade has been called. Owned by nobody but the loop's residents; lives on
/// the loop's thread after <see cref="Start"/>.
/// </summary>
/// <typeparam name="TTransport">How user and protocol know the transport.</typeparam>
/// <typeparam name="TProtocol">The protocol.</typeparam>
internal sealed class PipeConnector<TTransport, TProtocol> : ILoopWork, IStartWaiter, IResident
    where TTransport : class, IBaseTransport
    where TProtocol : class, IProtocol<TTransport>
{
    private const int Begin = 0;
    private const int Cancel = 1;

    private readonly EventLoop _loop;
    private readonly Func<TProtocol> _factory;
    private readonly SafeHandle _handle;
    private readonly object _pipe;
    private readonly PipeEnd _end;
    private readonly MakePipeTransport<TTransport> _make;
    private readonly CancellationToken _cancellation;
    private readonly ExecutionContext? _context = CallbackContext.Capture();
    private readonly TaskCompletionSource<(TTransport, TProtocol)> _source = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenRegistration _registration;
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
        EventLoop loop, Func<TProtocol> factory, SafeHandle handle, object pipe, PipeEnd end, MakePipeTransport<TTransport> make, CancellationToken cancellation)
    {
        _loop = loop;
        _factory = factory;
        _handle = handle;
        _pipe = pipe;
        _end = end;
        _make = make;
        _cancellation = cancellation;
    }

    /// <summary>Begins, here where this is the loop's thread, else there.</summary>
    public Task<(TTransport Transport, TProtocol Protocol)> Start()
    {
        if (_loop.Core.IsOnThread) Run(Begin);
        else if (!_loop.Core.TryPost(this, Begin)) throw new ObjectDisposedException(nameof(EventLoop), "The event loop is closed.");
        return _source.Task;
    }

    public void Run(int code)
    {
        if (_source.Task.IsCompleted) return;
        if (code == Cancel) GiveUp();
        else Open();
    }

    public void Abandon()
    {
        _handle.Dispose();
        _source.TrySetCanceled(_cancellation);
    }

    public void EndWithLoop() => GiveUp();

    void IStartWaiter.OnStarted(StreamTransport transport)
    {
        Finish();
        _source.TrySetResult(((TTransport)(object)transport, _protocol!));
    }

    private void Open()
    {
        if (_cancellation.IsCancellationRequested)
        {
            Abandon();
            return;
        }

        _loop.Residents.Add(this);
        _registration = _cancellation.UnsafeRegister(static self => ((PipeConnector<TTransport, TProtocol>)self!).PostCancel(), this);
        try
        {
            MakeTransport(_loop.Core.Backend.OpenPipe(_handle, _end));
        }
        catch (Exception exception)
        {
            Finish();
            _source.TrySetException(exception);
        }
    }

    private void MakeTransport(StreamChannel channel)
    {
        try
        {
            _protocol = ProtocolFactory.Make<TTransport, TProtocol>(_factory, _context);
            var origin = new TransportOrigin(_loop.Residents.Connections, ConnectionOptions.Default, _context, this);
            _transport = _make(_loop.Core, channel, _protocol, origin, _pipe);
        }
        catch
        {
            channel.Close(reset: true);
            throw;
        }
    }

    /// <summary>Cancelled, or the loop ends: nothing stays open, and no callback comes.</summary>
    private void GiveUp()
    {
        _transport?.Abandon(reset: true);
        Finish();
        _source.TrySetCanceled(_cancellation);
    }

    private void Finish()
    {
        _registration.Dispose();
        _loop.Residents.Remove(this);
    }

    private void PostCancel() => _loop.Core.TryPost(this, Cancel);
}

/// <summary>Makes the transport over one end of a pipe.</summary>
internal delegate StreamTransport MakePipeTransport<TTransport>(
    LoopCore loop, StreamChannel channel, IProtocol<TTransport> protocol, in TransportOrigin origin, object pipe)
    where TTransport : class, IBaseTransport;
