using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>
/// The one place that calls a protocol's callbacks: in the ExecutionContext of the call that created the transport, timed in debug
/// mode, and with whatever they throw caught. A struct inside its transport.
/// </summary>
/// <remarks>
/// Callbacks that end a connection when they throw return the exception to the transport, which flushes and resets; the others
/// (ConnectionMade, PauseWriting, ResumeWriting, DrainRequested, ConnectionLost) only report it.
/// </remarks>
internal struct ProtocolBinding
{
    private readonly LoopCore _loop;
    private readonly ExecutionContext? _context;
    private StreamProtocol? _plain;
    private BufferedProtocol? _buffered;
    private BaseProtocol? _protocol;

    public ProtocolBinding(LoopCore loop, ExecutionContext? context)
    {
        _loop = loop;
        _context = context;
    }

    public readonly LoopCore Loop => _loop;

    public readonly BaseProtocol? Protocol => _protocol;

    public readonly ExecutionContext? Context => _context;

    /// <summary>The protocol where it owns its receive buffer, else null.</summary>
    public readonly BufferedProtocol? Buffered => _buffered;

    /// <exception cref="ArgumentException">The protocol serves another transport.</exception>
    public static void CheckFree(IBaseTransport transport, BaseProtocol protocol)
    {
        if (protocol.Serves is { } other && !ReferenceEquals(other, transport))
        {
            throw new ArgumentException($"This {protocol.GetType()} already serves another transport: a protocol and its transport are one to one.", nameof(protocol));
        }
    }

    /// <exception cref="ArgumentException">The protocol serves another transport, or cannot serve this one.</exception>
    public static void CheckFits(IBaseTransport transport, BaseProtocol protocol)
    {
        if (protocol is WriteProtocol && transport is IReadTransport)
        {
            throw new ArgumentException("A WriteProtocol cannot serve a duplex transport: it has no way to receive what arrives.", nameof(protocol));
        }

        CheckFree(transport, protocol);
    }

    /// <summary>Makes the protocol the one that is called, in place of the one before. It must be free.</summary>
    public void Bind(IBaseTransport transport, BaseProtocol protocol)
    {
        Release();
        protocol.Serves = transport;
        _protocol = protocol;
        _plain = protocol as StreamProtocol;
        _buffered = protocol as BufferedProtocol;
    }

    public void Release()
    {
        if (_protocol is not null) _protocol.Serves = null;
        _protocol = null;
        _plain = null;
        _buffered = null;
    }

    /// <typeparam name="TTransport">How the protocol knows its transport.</typeparam>
    public readonly void ConnectionMade<TTransport>(TTransport transport) where TTransport : class, IBaseTransport
    {
        var started = Enter();
        try
        {
            ((IProtocol<TTransport>)_protocol!).ConnectionMade(transport);
        }
        catch (Exception exception)
        {
            Report("Exception in callback protocol.ConnectionMade()", exception, transport);
        }

        Leave(started, nameof(ConnectionMade));
    }

    public readonly void ConnectionLost(IBaseTransport transport, Exception? reason)
    {
        var started = Enter();
        try
        {
            _protocol!.ConnectionLost(reason);
        }
        catch (Exception exception)
        {
            Report("Exception in callback protocol.ConnectionLost()", exception, transport);
        }

        Leave(started, nameof(ConnectionLost));
    }

    public readonly void DrainRequested(IBaseTransport transport)
    {
        var started = Enter();
        try
        {
            if (_plain is not null) _plain.DrainRequested();
            else _buffered!.DrainRequested();
        }
        catch (Exception exception)
        {
            Report("Exception in callback protocol.DrainRequested()", exception, transport);
        }

        Leave(started, nameof(DrainRequested));
    }

    public readonly Exception? DataReceived(ReadOnlySpan<byte> data)
    {
        var started = Enter();
        try
        {
            _plain!.DataReceived(data);
        }
        catch (Exception exception)
        {
            return exception;
        }

        Leave(started, nameof(DataReceived));
        return null;
    }

    /// <summary>Asks for a buffer. An empty one counts as an exception.</summary>
    public readonly Exception? GetBuffer(int sizeHint, out Memory<byte> buffer)
    {
        buffer = default;
        var started = Enter();
        try
        {
            buffer = _buffered!.GetBuffer(sizeHint);
        }
        catch (Exception exception)
        {
            return exception;
        }

        Leave(started, nameof(GetBuffer));
        return buffer.IsEmpty ? new InvalidOperationException("GetBuffer() returned an empty buffer.") : null;
    }

    public readonly Exception? BufferUpdated(int count)
    {
        var started = Enter();
        try
        {
            _buffered!.BufferUpdated(count);
        }
        catch (Exception exception)
        {
            return exception;
        }

        Leave(started, nameof(BufferUpdated));
        return null;
    }

    public readonly Exception? EofReceived(out bool keepOpen)
    {
        keepOpen = false;
        var started = Enter();
        try
        {
            keepOpen = _plain?.EofReceived() ?? _buffered!.EofReceived();
        }
        catch (Exception exception)
        {
            return exception;
        }

        Leave(started, nameof(EofReceived));
        return null;
    }

    /// <summary>Calls PauseWriting or ResumeWriting, which come inside a call of the user's: its context is put back afterwards.</summary>
    public readonly void FlowChanged(IBaseTransport transport, bool pause)
    {
        var started = _loop.StartCallback();
        var protocol = _protocol!;
        try
        {
            CallbackContext.Run(_context, pause ? CallPauseWriting : CallResumeWriting, protocol);
        }
        catch (Exception exception)
        {
            _loop.Errors.Report(Describe(pause ? "protocol.PauseWriting() failed" : "protocol.ResumeWriting() failed", exception, transport));
        }

        if (_loop.Debug) Leave(started, pause ? "PauseWriting" : "ResumeWriting");
    }

    /// <summary>Tells the handler of a callback's exception, after what the step has written has left. Not inside a call of the user's, who may hold a transport's memory.</summary>
    public readonly void Report(string message, Exception exception, IBaseTransport transport) =>
        _loop.ReportThrown(Describe(message, exception, transport));

    private readonly ExceptionContext Describe(string message, Exception exception, IBaseTransport transport) =>
        new(message) { Exception = exception, Transport = transport, Protocol = _protocol };

    private static readonly ContextCallback CallPauseWriting = static protocol => ((BaseProtocol)protocol!).PauseWriting();

    private static readonly ContextCallback CallResumeWriting = static protocol => ((BaseProtocol)protocol!).ResumeWriting();

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
