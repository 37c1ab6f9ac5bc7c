using System.Net;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>
/// The one place that calls a datagram protocol's callbacks, as <see cref="ProtocolBinding"/> does for streams: in the ExecutionContext of the call that created the endpoint, timed in debug
/// mode. Whatever they throw is reported and changes nothing. A struct inside its transport.
/// </summary>
internal struct DatagramBinding
{
    private readonly LoopCore _loop;
    private readonly ExecutionContext? _context;
    private DatagramProtocol? _protocol;

    public DatagramBinding(LoopCore loop, ExecutionContext? context)
    {
        _loop = loop;
        _context = context;
    }

    public readonly DatagramProtocol? Protocol => _protocol;

    /// <summary>Makes the protocol the one that is called, in place of the one before. It must be free.</summary>
    public void Bind(IDatagramTransport transport, DatagramProtocol protocol)
    {
        Release();
        protocol.Serves = transport;
        _protocol = protocol;
    }

    public void Release()
    {
        if (_protocol is not null) _protocol.Serves = null;
        _protocol = null;
    }

    public readonly void ConnectionMade(IDatagramTransport transport)
    {
        var started = Enter();
        try
        {
            _protocol!.ConnectionMade(transport);
        }
        catch (Exception exception)
        {
            Report(nameof(ConnectionMade), exception, transport);
        }

        Leave(started, nameof(ConnectionMade));
    }

    public readonly void ConnectionLost(IDatagramTransport transport)
    {
        var started = Enter();
        try
        {
            _protocol!.ConnectionLost(null);
        }
        catch (Exception exception)
        {
            Report(nameof(ConnectionLost), exception, transport);
        }

        Leave(started, nameof(ConnectionLost));
    }

    public readonly void DatagramReceived(IDatagramTransport transport, ReadOnlySpan<byte> data, EndPoint? sender)
    {
        var started = Enter();
        try
        {
            _protocol!.DatagramReceived(data, sender);
        }
        catch (Exception exception)
        {
            Report(nameof(DatagramReceived), exception, transport);
        }

        Leave(started, nameof(DatagramReceived));
    }

    /// <summary>May come inside a call of the user's, whose context is put back afterwards.</summary>
    public readonly void ErrorReceived(IDatagramTransport transport, Exception error)
    {
        var protocol = _protocol!;
        CallInside(transport, _ => protocol.ErrorReceived(error), nameof(ErrorReceived));
    }

    /// <summary>Calls PauseWriting or ResumeWriting, which may come inside a call of the user's: its context is put back afterwards.</summary>
    public readonly void FlowChanged(IDatagramTransport transport, bool pause) =>
        CallInside(transport, pause ? CallPauseWriting : CallResumeWriting, pause ? "PauseWriting" : "ResumeWriting");

    private static readonly ContextCallback CallPauseWriting = static protocol => ((BaseProtocol)protocol!).PauseWriting();

    private static readonly ContextCallback CallResumeWriting = static protocol => ((BaseProtocol)protocol!).ResumeWriting();

    private readonly void CallInside(IDatagramTransport transport, ContextCallback call, string name)
    {
        var started = _loop.StartCallback();
        try
        {
            CallbackContext.Run(_context, call, _protocol);
        }
        catch (Exception exception)
        {
            _loop.Errors.Report(Describe(name, exception, transport));
        }

        Leave(started, name);
    }

    private readonly void Report(string callback, Exception exception, IDatagramTransport transport) => _loop.ReportThrown(Describe(callback, exception, transport));

    private readonly ExceptionContext Describe(string callback, Exception exception, IDatagramTransport transport) =>
        new($"Exception in callback protocol.{callback}()") { Exception = exception, Transport = transport, Protocol = _protocol };

    private readonly TimeSpan Enter()
    {
        CallbackContext.Enter(_context);
        return _loop.StartCallback();
    }

    private readonly void Leave(TimeSpan started, string callback)
    {
        if (_loop.Debug) _loop.EndCallback(started, $"{_protocol?.GetType()}.{callback}");
    }
}
