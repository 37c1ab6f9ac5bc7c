using System.Buffers;
using Sluice.Loop;

namespace Sluice.Transports;

/// <summary>
/// Sends a file over any transport by reading blocks and writing them. Meanwhile it stands in for the transport's protocol, because it has to hear of
/// flow and loss. Made for one call of the user's; lives on the loop's thread.
/// </summary>
/// <remarks>
/// Only public members of transports are used, so whether the protocol had been told to pause is not known before the first call: what comes first
/// tells. When the file is sent, the protocol is told where its last PauseWriting or ResumeWriting no longer holds.
/// </remarks>
internal sealed class FileRelay : Protocol
{
    private const int BlockSize = 16 * 1024;

    /// <summary>How often a transport that is not the library's is asked whether it still has this protocol: it does not tell of an exchange.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly LoopCore _loop;
    private readonly ITransport _transport;
    private readonly BaseProtocol _protocol;
    private readonly IBaseTransport? _served;
    private readonly bool _wasReading;
    private TaskCompletionSource? _change;
    private bool? _protocolIsPaused;
    private bool _isPaused;
    private bool _isLost;
    private Exception? _lostReason;

    private FileRelay(LoopCore loop, ITransport transport, BaseProtocol protocol)
    {
        _loop = loop;
        _transport = transport;
        _protocol = protocol;
        _served = protocol.Serves;
        _wasReading = transport.IsReading;
    }

    /// <summary>How many bytes were handed to the transport.</summary>
    public long Sent { get; private set; }

    /// <summary>Takes the place of the transport's protocol, and stops reading: nobody is there for what arrives.</summary>
    public static FileRelay TakeOver(LoopCore loop, ITransport transport)
    {
        var protocol = transport.Protocol ?? throw new InvalidOperationException("The transport is closing.");
        var relay = new FileRelay(loop, transport, protocol);
        transport.PauseReading();
        transport.SetProtocol(relay);

        // It still serves this transport: nobody else can have it meanwhile.
        protocol.Serves = relay._served;
        return relay;
    }

    /// <summary>Sends until so many bytes are sent or there are no more, then puts everything back. The buffer of the transport may still hold some.</summary>
    public async Task SendAsync(FileSource source, long count, CancellationToken cancellation)
    {
        var block = ArrayPool<byte>.Shared.Rent(BlockSize);
        try
        {
            while (Sent < count)
            {
                await WaitForRoomAsync(cancellation);
                var most = (int)Math.Min(BlockSize, count - Sent);
                var read = await source.ReadAsync(_loop.Backend, block.AsMemory(0, most), Sent, cancellation);
                if (read == 0) break;
                cancellation.ThrowIfCancellationRequested();
                if (_transport.IsClosing) throw await FindReasonAsync();
                ThrowIfReplaced();
                _transport.Write(block.AsSpan(0, read));
                Sent += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
            Restore();
        }
    }

    public override void PauseWriting()
    {
        _protocolIsPaused ??= false;
        _isPaused = true;
    }

    public override void ResumeWriting()
    {
        _protocolIsPaused ??= true;
        _isPaused = false;
        _change?.TrySetResult();
    }

    internal override void OnReleased() => _change?.TrySetResult();

    public override void DataReceived(ReadOnlySpan<byte> data) => ThrowUnheard();

    public override bool EofReceived()
    {
        ThrowUnheard();
        return false;
    }

    public override void DrainRequested()
    {
        if (_protocol is StreamProtocol plain) plain.DrainRequested();
        else if (_protocol is BufferedProtocol buffered) buffered.DrainRequested();
    }

    public override void ConnectionLost(Exception? exception)
    {
        _isLost = true;
        _lostReason = exception;
        _change?.TrySetResult();
        try
        {
            _protocol.ConnectionLost(exception);
        }
        finally
        {
            _protocol.Serves = null;
        }
    }

    private static void ThrowUnheard() =>
        throw new InvalidOperationException("sendfile is in progress by reading and writing: reading was resumed, and nobody is there for what arrives.");

    /// <summary>
    /// More than the high watermark without a call to pause says that the transport had paused before. Its next call is then ResumeWriting.
    /// </summary>
    private async ValueTask WaitForRoomAsync(CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_isLost || _transport.IsClosing) throw await FindReasonAsync();
            ThrowIfReplaced();
            if (!_isPaused && _transport.WriteBufferSize <= _transport.WriteBufferLimits.High) return;
            var change = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _change = change;
            using var registration = cancellation.UnsafeRegister(static source => ((TaskCompletionSource)source!).TrySetResult(), change);
            var look = _transport is ILoopTransport ? null : LoopTimer.Start(_loop, Look, static source => ((TaskCompletionSource)source!).TrySetResult(), change);
            await change.Task;
            look?.Cancel();
        }
    }

    // Who takes this protocol's place takes over the connection, and what the file would add behind would be in his way.
    private void ThrowIfReplaced()
    {
        if (!_isLost && !ReferenceEquals(_transport.Protocol, this))
        {
            throw new InvalidOperationException($"The transport was given another protocol while the file was being sent by reading and writing, after {Sent} bytes.");
        }
    }

    /// <summary>Why the connection ends. A loss is settled before the protocol hears of it, one turn later.</summary>
    private async ValueTask<Exception> FindReasonAsync()
    {
        if (!_isLost) await Task.Yield();
        return FileSend.Interrupted(_lostReason);
    }

    private void Restore()
    {
        if (_isLost) return;
        if (!ReferenceEquals(_transport.Protocol, this))
        {
            // The user has put another one in this place.
            _protocol.Serves = null;
            return;
        }

        _transport.SetProtocol((IProtocol<ITransport>)_protocol);
        if (_wasReading) _transport.ResumeReading();
        if (_protocolIsPaused is { } believed && believed != _isPaused && !_transport.IsClosing) TellProtocol();
    }

    private void TellProtocol()
    {
        try
        {
            if (_isPaused) _protocol.PauseWriting();
            else _protocol.ResumeWriting();
        }
        catch (Exception exception)
        {
            var message = _isPaused ? "protocol.PauseWriting() failed" : "protocol.ResumeWriting() failed";
            _loop.Errors.Report(new ExceptionContext(message) { Exception = exception, Transport = _transport, Protocol = _protocol });
        }
    }
}
