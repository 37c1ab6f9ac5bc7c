using System.Diagnostics.CodeAnalysis;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Tls;

/// <summary>
/// TLS as a channel: plaintext above, a transport below. Owned by its <see cref="TlsTransport"/>, which treats it as any backend's; lives on the loop's thread.
/// </summary>
/// <remarks>
/// The sink is called from the callbacks of the transport below and from turns of its own, never inside a call from above: the first law of the seam. The lower
/// transport's high watermark is 0: it takes a record as long as the kernel takes bytes, so that what waits waits as plaintext, above.
/// </remarks>
[SuppressMessage("Design", "CA1001", Justification = "Channels are closed: Close lets the engine go.")]
internal sealed class TlsChannel : UpperChannel, ICipherOutput
{
    private const int HandshakeReceive = 16 * 1024;

    private readonly TlsRole _role;
    private readonly TlsWorkspace _space;
    private readonly TlsEngine _engine;
    private TlsTransport? _transport;
    private IStreamSink _sink = null!;
    private TlsFacts? _facts;
    private TlsState _state;
    private WriteSlice _outstanding;
    private TlsHandshake _handshake;
    private TlsGoodbyes _goodbyes;
    private bool _wantsReading;
    private bool _lowerReads = true;
    private bool _lowerIsFull;
    private bool _lowerIsLost;
    private bool _mayHaveMore = true;
    private bool _peerHasEnded;
    private bool _isDelivering;
    private bool _isReleased;

    public TlsChannel(LoopCore loop, TlsRole role, TlsWorkspace space) : base(loop)
    {
        _role = role;
        _space = space;
        _engine = new TlsEngine(loop, space, this);
        Protocol = new TlsProtocol(this);
    }

    /// <summary>What the transport below is to call.</summary>
    public TlsProtocol Protocol { get; }

    public bool IsLowerClosing => _lowerIsLost || (_lower.IsClosing && _state.Phase != TlsPhase.Handshaking);

    /// <summary>Why the connection broke, where an error number cannot say it.</summary>
    public Exception? Failure { get; private set; }

    public Memory<byte> ReceiveBuffer => _state.Phase == TlsPhase.Handshaking ? _space.Ciphertext.AsMemory(0, HandshakeReceive) : _space.Ciphertext;

    /// <summary>Names the transport below: once. From now on the time for the handshake runs.</summary>
    public void Bind(ITransport lower)
    {
        PutAbove(lower);
        StartTimer(_role.Options.HandshakeTimeout);
    }

    public override void Attach(IStreamSink sink)
    {
        _sink = sink;
        _transport = (TlsTransport)sink;
    }

    /// <summary>The transport below is there.</summary>
    public void BeginHandshake()
    {
        if (_state.Phase != TlsPhase.Handshaking) return;
        Lower.SetWriteBufferLimits(high: 0);
        _lowerIsFull = Lower.WriteBufferSize > 0;
        _engine.BeginHandshake(_role);
        GoOn();
    }

    /// <summary>After an upgrade, during which the transport below was paused.</summary>
    public void StartReceiving()
    {
        _lowerReads = false;
        ArmLower();
    }

    public override void StartReading()
    {
        _wantsReading = true;
        if (_mayHaveMore || _engine.HasInput) QueueTurn();
        else ArmLower();
    }

    public override void StopReading()
    {
        _wantsReading = false;
        ArmLower();
    }

    public override int TryWrite(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        error = IoError.None;
        // What is written after the goodbye is dropped.
        if (_state.Phase != TlsPhase.Open) return queue.Count + extra.Length;
        var chunks = new PlaintextChunks(queue, extra, _space);
        var taken = 0;
        while (!_lowerIsFull && chunks.Next(out var chunk))
        {
            if (_engine.Write(chunk) is { } exception)
            {
                error = Broken(exception);
                return 0;
            }

            taken += chunk.Length;
        }

        return taken;
    }

    public override void StartWrite(in WriteSlice queue) => _outstanding = queue;

    public override void ShutdownWrite() => throw new NotSupportedException();

    public override int Unread => _engine.HasInput || _mayHaveMore ? 1 : 0;

    public void OnBelowDrained() => _transport!.Drain?.OnBelowTold();

    /// <summary>The app closes: what waits has to be sent, and the goodbyes said, in time.</summary>
    public void BeginClosing()
    {
        if (_state.Phase == TlsPhase.Handshaking) return;
        StartTimer(_role.Options.ShutdownTimeout);
        _goodbyes.Begin(Due);
    }

    /// <summary>Everything of the app's is encrypted: sends the goodbye. Ends when the peer's has come and the transport below has taken ours.</summary>
    public void ShutDown()
    {
        if (_state.Phase == TlsPhase.Handshaking)
        {
            _transport!.FailStart(TlsHandshake.Closed(), reset: true);
            return;
        }

        if (!_state.TryShutDown()) return;
        if (!_lowerIsLost && _engine.Shutdown() is { } exception) Failure ??= exception;
        if (!_lowerIsFull) AwaitPeer();
        if (!TryEnd() && !_peerHasEnded) QueueTurn();
    }

    public override void Close(bool reset)
    {
        _isReleased = true;
        End();
        if (_lowerIsLost) QueueTurn();
        else if (reset || Lower.WriteBufferSize > 0) _lower.Abort();
        else _lower.Close();
    }

    /// <summary>A fact by asyncio's name, or null: what TLS does not know the transport below is asked for.</summary>
    public object? FindExtraInfo(string name) => name switch
    {
        "sslcontext" => _role.Options,
        "ssl_object" => _engine.Stream,
        "compression" => null,
        "peercert" or "cipher" or "alpn_protocol" or "server_hostname" => Facts?.Find(name),
        _ => Lower.GetExtraInfo(name),
    };

    /// <summary>The memory of <see cref="ReceiveBuffer"/> holds bytes.</summary>
    public void OnReceived(int count)
    {
        if (_state.Phase == TlsPhase.Handshaking) _handshake.Receive(count);
        _engine.Feed(_space.Ciphertext.AsMemory(0, count));
        GoOn();
        _engine.KeepRest();
        ArmLower();
    }

    /// <summary>Bytes that somebody else has received belong to the handshake.</summary>
    public void HandOver(ReadOnlyMemory<byte> received)
    {
        _handshake.Receive(received.Length);
        _engine.Feed(received);
        GoOn();
        _engine.KeepRest();
    }

    /// <summary>The transport below has ended.</summary>
    /// <returns>Whether it is to stay open for what is still to be sent.</returns>
    public bool OnEnd()
    {
        _engine.FeedEnd();
        GoOn();
        return Lower.CanWriteEof;
    }

    public void OnPaused() => _lowerIsFull = true;

    public void OnResumed()
    {
        _lowerIsFull = false;
        // Inside a write of ours it comes from a transport that answers at once.
        if (_engine.IsBusy) QueueTurn();
        else ContinueWriting();
    }

    public void OnLost(Exception? exception)
    {
        _lowerIsLost = true;
        if (_state.Phase == TlsPhase.Handshaking)
        {
            FailHandshake(exception ?? TlsHandshake.Ended());
        }
        else if (_state.Phase != TlsPhase.Closed)
        {
            // What came before the loss is the app's, unless it does not want it now.
            if (_wantsReading) GoOn();
            if (_state.Phase != TlsPhase.Closed) _transport!.EndClosing(exception);
        }

        if (_isReleased) _sink.OnClosed();
    }

    void ICipherOutput.Send(ReadOnlySpan<byte> data)
    {
        if (_state.Phase == TlsPhase.Handshaking && _handshake.TryHold(data, _role.IsServer)) return;
        if (_lowerIsLost) return;
        _lower.Write(data);
    }

    private protected override void OnTurn()
    {
        if (_lowerIsLost && _isReleased)
        {
            _sink.OnClosed();
            return;
        }

        if (!_lowerIsFull) ContinueWriting();
        GoOn();
        ArmLower();
    }

    private TlsFacts? Facts => _facts ??= _engine.Stream.IsAuthenticated && _state.Phase is TlsPhase.Open or TlsPhase.ShuttingDown ? new TlsFacts(_engine.Stream) : null;

    /// <summary>Does what the bytes that have come allow. User code may run.</summary>
    private void GoOn()
    {
        if (_engine.IsBusy)
        {
            QueueTurn();
            return;
        }

        if (_state.Phase == TlsPhase.Handshaking) ContinueHandshake();
        if (_isDelivering) return;
        _isDelivering = true;
        if (_state.Phase == TlsPhase.Open) Deliver();
        if (_state.Phase == TlsPhase.ShuttingDown) Discard();
        _isDelivering = false;
    }

    private void ContinueHandshake()
    {
        if (_handshake.FindFailure(_engine, _role.IsServer) is { } failure)
        {
            FailHandshake(failure);
        }
        else if (_engine.IsHandshakeDone && _state.TryOpen())
        {
            StopTimer();
            SilentSince = _loop.Time;
            if (!_lowerIsLost) _lower.Write(_handshake.TakeHeld());
            _transport!.Begin();
        }
    }

    private void FailHandshake(Exception exception)
    {
        StopTimer();
        _transport!.FailStart(exception, reset: false);
    }

    private void Deliver()
    {
        while (_wantsReading && !_peerHasEnded && _state.Phase == TlsPhase.Open)
        {
            var data = _engine.Read(out var outcome);
            _mayHaveMore = outcome == TlsReadOutcome.More;
            _peerHasEnded = outcome > TlsReadOutcome.Blocked;
            if (!data.IsEmpty) SilentSince = null;
            if (!data.IsEmpty) _sink.OnRead(data);
            if (_peerHasEnded && _state.Phase == TlsPhase.Open) _sink.OnReadEnd(EndOf(outcome));
            if (outcome == TlsReadOutcome.Blocked) return;
        }
    }

    private IoError EndOf(TlsReadOutcome outcome) => outcome switch
    {
        TlsReadOutcome.Truncated when !_role.Options.AllowTruncation => Broken(new TlsTruncatedException()),
        TlsReadOutcome.Failed => Broken(_engine.ReadFailure!),
        _ => IoError.None,
    };

    /// <summary>After our goodbye: what the peer still sends is of no use, its goodbye is.</summary>
    private void Discard()
    {
        while (!_peerHasEnded && _state.Phase == TlsPhase.ShuttingDown)
        {
            var goesOn = _goodbyes.Discard(_engine.Read(out var outcome).Length);
            if (outcome == TlsReadOutcome.Blocked) break;
            _peerHasEnded = outcome != TlsReadOutcome.More || !goesOn;
        }

        TryEnd();
    }

    private void ContinueWriting()
    {
        if (!_outstanding.IsEmpty)
        {
            var slice = _outstanding;
            _outstanding = default;
            var taken = TryWrite(slice, default, out var error);
            _sink.OnWritten(taken, error);
        }

        if (_state.Phase == TlsPhase.ShuttingDown && !_lowerIsFull && !TryEnd()) AwaitPeer();
    }

    /// <summary>Our goodbye is on its way: the peer's has its own, shorter time.</summary>
    private void AwaitPeer() => StartTimer(_goodbyes.TimeForPeer(_loop.Time));

    private bool TryEnd()
    {
        if (_state.Phase != TlsPhase.ShuttingDown || !_peerHasEnded || (_lowerIsFull && !_lowerIsLost)) return false;
        StopTimer();
        _transport!.EndClosing(null);
        return true;
    }

    private protected override void OnLate()
    {
        if (_state.Phase == TlsPhase.Handshaking)
        {
            _transport!.FailStart(TlsHandshake.Late(_role.Options), reset: true);
        }
        else
        {
            // What the transport below holds may still arrive, slowly: only what it could not be given is cut off.
            _transport!.CutOff(new TimeoutException("TLS shutdown timed out."), reset: _state.Phase == TlsPhase.Open || _lowerIsFull);
        }
    }

    private IoError Broken(Exception exception)
    {
        Failure ??= exception;
        return IoError.ConnectionAborted;
    }

    private void End()
    {
        StopTimer();
        _ = Facts;
        if (!_state.TryEnd()) return;
        _engine.Dispose();
    }

    /// <summary>Has the transport below read while somebody wants what comes, and nothing of it waits here.</summary>
    private void ArmLower()
    {
        var wanted = !_engine.HasInput && !_peerHasEnded && _state.Phase switch
        {
            TlsPhase.Handshaking or TlsPhase.ShuttingDown => true,
            TlsPhase.Open => _wantsReading,
            _ => false,
        };
        if (wanted == _lowerReads || _lowerIsLost) return;
        _lowerReads = wanted;
        if (wanted) _lower.ResumeReading();
        else _lower.PauseReading();
    }
}
