using System.Net.Sockets;
using Sluice.Sweep.Tls;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep.Streams;

/// <summary>
/// What one end must be able to see, kept beside the transport from the calls that were made on it and from what the simulated kernel took and
/// gave. Owned by its end, which tells it of every call and callback.
/// </summary>
internal sealed class EndModel(End end)
{
    private SimulatedSocket _kernel = null!;
    private SimulatedSocket _peerKernel = null!;
    private Wire _wire = null!;
    private long _accepted;
    private long _fileSize;
    private bool _wantsReading = true;
    private bool _limitsChanged;
    private bool _mayOverflow;
    private bool _isOver;
    private Exception? _fatal;

    public SimulatedSocket? Kernel => _kernel;

    /// <summary>How many bytes the transport has accepted. Those of a file under way count when the kernel takes them, which is when the queue is empty.</summary>
    public long Written => _accepted + FileSent;

    /// <summary>A file is under way, or its sender has not heard yet how it went.</summary>
    public bool IsSendingFile { get; private set; }

    /// <summary>How many bytes its protocols have been given.</summary>
    public long Received { get; private set; }

    public bool HasWrittenEof { get; set; }

    /// <summary>Somebody wanted an orderly end, or an abort: a loss without a reason is expected.</summary>
    public bool AskedToEnd { get; set; }

    /// <summary>Somebody aborted: what was accepted may be dropped.</summary>
    public bool WasAborted { get; set; }

    public bool GaveEmptyBuffer { get; set; }

    /// <summary>What was lost, and the reason was not an orderly one.</summary>
    public bool WasBroken { get; private set; }

    /// <summary>
    /// A write now would be accepted. A transport that closes and has nothing left to send is over, though ConnectionLost is still to come, and over TLS the peer's
    /// goodbye before it.
    /// </summary>
    public bool Accepts
    {
        get
        {
            if (end.Transport is not { } transport || end.IsLost) return false;
            _isOver |= transport.IsClosing && transport.WriteBufferSize == 0;
            return !_isOver;
        }
    }

    private long FileSent => IsSendingFile ? Math.Max(0, _kernel.Outgoing.Sent - _accepted) : 0;

    /// <summary>A write in parts is under way: sizes are settled when it is over.</summary>
    public bool IsGathering { get; set; }

    public void Bind(ITransport transport)
    {
        _kernel = ((SimulatedTransportSocket)transport.GetExtraInfo(ExtraInfo.Socket)!).Kernel!;
        _peerKernel = _kernel.Peer;
        _wire = end.Security == Security.None ? new PlainWire(end, _kernel) : new TlsWire(end, _kernel);
    }

    /// <summary>The next bytes of this end's stream.</summary>
    public ReadOnlyMemory<byte> NextBytes(int count) => Pattern.Slice(_kernel.Id, Written, count);

    /// <summary>Bytes are on their way into the transport.</summary>
    public void Accept(int count)
    {
        _accepted += count;
        // Judged now: an outstanding write may still be taken after the transport has given up.
        _mayOverflow |= _wire.Waiting > end.Cap;
    }

    public void BeginFile(int size)
    {
        IsSendingFile = true;
        _fileSize = size;
    }

    /// <param name="sent">How many bytes its sender was told of, or null where it failed.</param>
    public void EndFile(long? sent)
    {
        if (FileSent > _fileSize || (sent is { } told && (told != FileSent || told != _fileSize)))
        {
            end.Broken(Invariant.Accounting, $"of a file of {_fileSize} bytes {FileSent} were sent and {sent} told");
        }

        _accepted += FileSent;
        IsSendingFile = false;
    }

    public void WantReading(bool wants)
    {
        if (wants || end.Transport is { IsClosing: false }) _wantsReading = wants;
    }

    public void LimitsChanged() => _limitsChanged = true;

    public void FlowChanged(bool pause)
    {
        if (pause) _limitsChanged = false;
        if (!pause && end.Transport is { } transport && transport.WriteBufferSize > transport.WriteBufferLimits.Low)
        {
            end.Broken(Invariant.Flow, "ResumeWriting came above the low watermark");
        }
    }

    /// <summary>A callback that ends the connection is about to throw.</summary>
    public void ThrowFatally(Exception exception)
    {
        if (end.Transport is { IsClosing: false }) _fatal ??= exception;
    }

    public void Receive(ReadOnlySpan<byte> data)
    {
        if (!_wantsReading) end.Broken(Invariant.Paused, "data came while reading was paused");
        if (Received + data.Length > _wire.MostArrived) end.Broken(Invariant.Bytes, "more was delivered than the peer has sent");
        if (!data.SequenceEqual(Pattern.Slice(_peerKernel.Id, Received, data.Length).Span))
        {
            end.Broken(Invariant.Bytes, $"other bytes than the peer's were delivered behind position {Received}");
        }

        Received += data.Length;
    }

    public void ReceiveEnd()
    {
        if (!_wantsReading) end.Broken(Invariant.Paused, "the end of the stream came while reading was paused");
        _wire.VerifyEnd();
    }

    public void Lose(Exception? reason)
    {
        WasBroken = reason is not null;
        if (reason is null && !AskedToEnd) end.Broken(Invariant.Lifecycle, "the connection was lost without a reason");
        if (reason is null && _fatal is not null) end.Broken(Invariant.Lifecycle, "a callback threw, and the connection was lost without its exception");
        if (reason is null && !WasAborted) _wire.VerifyOrderlyLoss();
        if (_wire.Waiting < 0) end.Broken(Invariant.Accounting, $"{-_wire.Waiting} bytes more were sent than accepted");
        var isOwn = reason switch
        {
            null => true,
            ChaosException chaos => chaos.End == end,
            SocketException => true,
            WriteBufferLimitException => _mayOverflow,
            InvalidOperationException => GaveEmptyBuffer,
            _ => _wire.Explains(reason),
        };
        if (!isOwn) end.Broken(Invariant.Lifecycle, $"the connection was lost for a reason that there was not: {reason}");
    }

    /// <summary>What holds whenever the transport rests: between callbacks, and between the calls of one.</summary>
    public void Verify()
    {
        if (!end.IsLive || end.IsUpgrading || IsGathering || end.Transport is not { } transport) return;
        var size = transport.WriteBufferSize;
        var isClosing = transport.IsClosing;
        if (_kernel.IsGone && !(isClosing && end.Security != Security.None)) end.Broken(Invariant.Descriptors, "the socket is gone and the connection is not lost");
        var maySayYes = _wantsReading && !end.HasEnded;
        var isSure = !IsSendingFile && !(isClosing && end.Security != Security.None);
        if (isSure ? transport.IsReading != (!isClosing && maySayYes) : transport.IsReading && !_wantsReading) end.Broken(Invariant.Paused, $"IsReading is {transport.IsReading}");
        if (size > end.Cap) end.Broken(Invariant.Bounds, $"{size} bytes wait, the limit is {end.Cap}");
        if (!isClosing || size > 0) _wire.VerifySize(size);
        if (isClosing) return;
        var high = transport.WriteBufferLimits.High;
        if (size > high && !end.IsWritingPaused) end.Broken(Invariant.Bounds, $"{size} bytes wait above the high watermark {high} and nobody was told");
    }

    /// <summary>What holds besides when a pass of the loop is over.</summary>
    public void VerifyAfterPass()
    {
        if (!end.IsMade || end.IsCrashed) return;
        _wire.VerifyAfterPass();
        if (!end.IsLive || end.IsUpgrading || end.Transport is not { } transport) return;
        Verify();
        if (!end.IsWritingPaused || _limitsChanged || transport.IsClosing || transport.WriteBufferSize > transport.WriteBufferLimits.Low) return;
        end.Broken(Invariant.Flow, "the buffer has drained to the low watermark, and writing was not resumed");
    }
}
