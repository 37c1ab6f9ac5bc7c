using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;

namespace Sluice.ConformanceTests.OwnTransports;

/// <summary>
/// One end of a duplex pipe within a program, as somebody outside of the library would write it: public members only, every callback in a turn
/// of its own. It lives on its loop's thread. With a <see cref="PipeFault"/> it makes that mistake.
/// </summary>
internal sealed partial class PipeTransport : ITransport
{
    private const int Room = 64 * 1024;
    private const int DefaultHigh = 64 * 1024;

    private readonly EventLoop _loop;
    private readonly PipeFault _fault;
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private readonly PipeBytes _outgoing = new();
    private readonly PipeBytes _incoming = new();
    private readonly int _mostWaiting;
    private PipeTransport _peer = null!;
    private (int Low, int High) _limits = (DefaultHigh / 4, DefaultHigh);
    private bool _isMade;
    private bool _isPaused;
    private bool _isWritingPaused;
    private bool _isClosing;
    private bool _isLost;
    private bool _isEnding;
    private bool _hasEnded;
    private bool _peerHasEnded;
    private bool _endWasSeen;
    private Exception? _peerFailure;
    private Exception? _reason;

    private PipeTransport(EventLoop loop, BaseProtocol protocol, StreamOptions? options, PipeFault fault)
    {
        _loop = loop;
        _fault = fault;
        _mostWaiting = fault == PipeFault.NoLimit ? int.MaxValue : (options ?? new ConnectionOptions()).MaxWriteBufferSize;
        Protocol = protocol;
    }

    public bool IsClosing => _isClosing;

    public bool IsReading => !_isClosing && !_isPaused && !_endWasSeen;

    public bool CanWriteEof => true;

    public BaseProtocol? Protocol { get; private set; }

    /// <summary>Connects two protocols. Done when both have been told.</summary>
    public static async Task<(ITransport, ITransport)> ConnectAsync(
        EventLoop loop, Func<IProtocol<ITransport>> client, Func<IProtocol<ITransport>> server, StreamOptions? clientOptions, StreamOptions? serverOptions, PipeFault fault)
    {
        var one = new PipeTransport(loop, (BaseProtocol)client(), clientOptions, fault);
        var two = new PipeTransport(loop, (BaseProtocol)server(), serverOptions, fault);
        (one._peer, two._peer) = (two, one);
        var made = loop.CreateFuture();
        one.Later(one.Begin);
        two.Later(() =>
        {
            two.Begin();
            made.SetResult();
        });
        await made.Task;
        return (one, two);
    }

    public void Close()
    {
        VerifyThread();
        if (_isClosing) return;
        _isClosing = true;
        _incoming.Clear();
        if (_fault == PipeFault.BytesLostOnClose) _outgoing.Clear();
        _peer.Later(_peer.Send);
        if (_outgoing.Count == 0) Lose(null);
    }

    public void Abort()
    {
        VerifyThread();
        if (_isLost) return;
        if (_fault == PipeFault.AbortSendsTheRest) Arrive(_outgoing.Take(int.MaxValue));
        EndBadly(null);
    }

    public void PauseReading()
    {
        VerifyThread();
        if (IsReading) _isPaused = true;
    }

    public void ResumeReading()
    {
        VerifyThread();
        if (_isClosing || _endWasSeen) return;
        _isPaused = false;
        Later(Receive);
    }

    public void SetProtocol(IProtocol<ITransport> protocol) => Exchange((BaseProtocol)protocol);

    void IReadTransport.SetProtocol(IProtocol<IReadTransport> protocol) => Exchange((BaseProtocol)protocol);

    void IWriteTransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange((BaseProtocol)protocol);

    void ITransport.SetProtocol(IProtocol<IWriteTransport> protocol) => Exchange((BaseProtocol)protocol);

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value)
    {
        value = default;
        return false;
    }

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => null;

    public object? GetExtraInfo(string name, object? defaultValue = null) => defaultValue;

    private bool Delivers => IsReading || _fault switch
    {
        PipeFault.DataWhilePaused => !_isClosing && !_endWasSeen,
        PipeFault.DataAfterClose => !_isPaused && !_isLost && !_endWasSeen,
        _ => false,
    };

    private void VerifyThread()
    {
        if (!ReferenceEquals(EventLoop.TryGetCurrent(), _loop)) throw new InvalidOperationException("Call this on the loop's thread: see CallSoonThreadSafe and InvokeAsync.");
    }

    private void Exchange(BaseProtocol protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        if (protocol is WriteProtocol) throw new ArgumentException("A WriteProtocol cannot receive.", nameof(protocol));
        VerifyThread();
        if (_fault == PipeFault.BytesLostInExchange) _incoming.Clear();
        if (!_isLost) Protocol = protocol;
    }

    private void Begin()
    {
        _isMade = true;
        for (var i = 0; i < (_fault == PipeFault.MadeTwice ? 2 : 1); i++)
        {
            Call("Exception in callback protocol.ConnectionMade()", () => ((IProtocol<ITransport>)Protocol!).ConnectionMade(this));
        }

        Later(Receive);
    }

    /// <summary>A turn that hands on what has arrived: the bytes first, then what is behind them.</summary>
    private void Receive()
    {
        if (!_isMade || !Delivers) return;
        if (_fault == PipeFault.EndBeforeLastData && _peerHasEnded && !_endWasSeen) ReceiveEnd();
        if (_incoming.Count > 0)
        {
            Deliver(_incoming.Take(Room));
            _peer.Later(_peer.Send);
            Later(Receive);
        }
        else if (_peerFailure is not null) Lose(_peerFailure);
        else if (_peerHasEnded) ReceiveEnd();
    }

    private void Deliver(byte[] data)
    {
        while (data.Length > 0 && Delivers)
        {
            if (Protocol is not BufferedProtocol buffered)
            {
                if (_fault == PipeFault.EmptyData) Call(null, () => ((StreamProtocol)Protocol!).DataReceived([]));
                CallOrFail("DataReceived", () => ((StreamProtocol)Protocol!).DataReceived(data));
                return;
            }

            var buffer = Memory<byte>.Empty;
            var isLent = CallOrFail("GetBuffer", () =>
            {
                buffer = buffered.GetBuffer(data.Length);
                if (buffer.IsEmpty) throw new InvalidOperationException("GetBuffer() returned an empty buffer.");
            });
            if (!isLent) return;
            if (!Delivers || !ReferenceEquals(buffered, Protocol)) continue;
            var count = Math.Min(data.Length, buffer.Length);
            data.AsSpan(0, count).CopyTo(buffer.Span);
            data = data[count..];
            if (!CallOrFail("BufferUpdated", () => buffered.BufferUpdated(count))) return;
        }

        if (!_isClosing) _incoming.PutBack(data);
    }

    private void ReceiveEnd()
    {
        _endWasSeen = true;
        var keepsOpen = false;
        for (var i = 0; i < (_fault == PipeFault.EndTwice ? 2 : 1) && !_isClosing; i++)
        {
            CallOrFail("EofReceived", () => keepsOpen = Protocol is BufferedProtocol buffered ? buffered.EofReceived() : ((StreamProtocol)Protocol!).EofReceived());
        }

        if (!keepsOpen || _fault == PipeFault.EndAlwaysCloses) Close();
    }

    /// <summary>Bytes of the peer are here. An end that closes reads and drops them.</summary>
    private void Accept(ReadOnlySpan<byte> data)
    {
        if (_isClosing && (_isLost || _fault != PipeFault.DataAfterClose)) return;
        _incoming.Append(data);
        if (_fault == PipeFault.DataInsideWrite) Receive();
        else Later(Receive);
    }

    private void AcceptFailure(Exception failure)
    {
        _peerFailure = failure;
        if (_isLost) return;
        if (_isClosing || _endWasSeen) Lose(failure);
        else Later(Receive);
    }

    /// <summary>The connection ends without sending what waits, and the peer sees a reset.</summary>
    private void EndBadly(Exception? reason)
    {
        var reset = new SocketException((int)SocketError.ConnectionReset);
        if (_fault == PipeFault.AbortSeenAsEnd) _hasEnded = _peer._peerHasEnded = true;
        else _peer.AcceptFailure(reset);
        _peer.Later(_peer.Receive);
        Lose(reason);
    }

    private void Lose(Exception? reason)
    {
        if (_isLost || _fault == PipeFault.NeverLost) return;
        _isClosing = _isLost = true;
        _reason ??= reason;
        _outgoing.Clear();
        _incoming.Clear();
        _peer._peerHasEnded = true;
        _peer.Later(_peer.Receive);
        if (_fault == PipeFault.LostInsideClose) TellOfLoss();
        else Later(TellOfLoss);
        if (_fault == PipeFault.LostTwice) Later(TellOfLoss);
    }

    private void TellOfLoss()
    {
        var protocol = Protocol;
        if (_fault == PipeFault.ProtocolForgottenTooEarly) Protocol = null;
        if (protocol is not null) Call("Exception in callback protocol.ConnectionLost()", () => protocol.ConnectionLost(_reason));
        if (_fault != PipeFault.LostTwice) Protocol = null;
    }

    /// <summary>A callback whose exception ends the connection.</summary>
    private bool CallOrFail(string name, Action callback)
    {
        var failure = Call(null, callback);
        if (failure is null) return true;
        if (_fault == PipeFault.CallbackFailureKeepsTheConnection) return false;
        Send();
        if (!_isLost) _reason ??= failure;
        _isClosing = true;
        Report($"Fatal error: protocol.{name}() call failed.", failure);
        EndBadly(failure);
        return false;
    }

    /// <summary>A callback, in the context of the one who connected. What it throws is reported where there is a message for it.</summary>
    private Exception? Call(string? message, Action callback)
    {
        try
        {
            if (_context is null || _fault == PipeFault.CallersContext) callback();
            else ExecutionContext.Run(_context, static call => ((Action)call!)(), callback);
            return null;
        }
        catch (Exception exception)
        {
            if (message is not null) Report(message, exception);
            return exception;
        }
    }

    private void Report(string message, Exception exception)
    {
        if (_fault == PipeFault.CallbackFailureIsSilent) return;
        _loop.CallExceptionHandler(new ExceptionContext(message) { Exception = exception, Transport = this, Protocol = Protocol });
    }

    /// <summary>Queues a turn in nobody's context.</summary>
    private void Later(Action turn)
    {
        if (ExecutionContext.IsFlowSuppressed())
        {
            _loop.CallSoon(turn);
            return;
        }

        using (ExecutionContext.SuppressFlow()) _loop.CallSoon(turn);
    }
}
