using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// The sending half of a datagram transport: to whom, the queue, its watermarks, and when datagrams go to the kernel. The whole, <see cref="DatagramTransport"/>, adds life and receiving.
/// Lives on the loop's thread.
/// </summary>
/// <remarks>
/// Every path settles the queue first and calls the user last; whatever comes after a call of the user's reads the state anew. What a callback of a flush sends, because of an error perhaps,
/// waits for a turn of its own: a protocol that repeats what was refused keeps itself busy, not the loop.
/// </remarks>
internal abstract class SendingDatagramTransport : IStepFlush
{
    /// <summary>From this size on a datagram is offered to the kernel at once.</summary>
    private const int LargeDatagram = 4096;

    /// <summary>How much of one endpoint may wait while the process has more waiting than it may.</summary>
    private const int MostOverBudget = 4096;

    /// <summary>How many datagrams to a closed endpoint stay unremarked.</summary>
    private const int SilentlyDroppedSends = 4;

    private protected readonly DatagramChannel _channel;
    private protected readonly LoopCore _loop;
    private protected readonly AddressFamily _family;
    private protected DatagramState _state;
    private DatagramQueue _queue;
    private FlowControl _flow = new();
    private bool _flushQueued;
    private bool _reportsOverflow;
    private int _overflows;
    private int _droppedSends;
    private readonly int _maxWriteBufferSize;
    private readonly DatagramAddress _peer;
    private readonly DatagramAddress _defaultReceiver;

    private protected SendingDatagramTransport(LoopCore loop, DatagramChannel channel, int maxWriteBufferSize, EndPoint? defaultReceiver)
    {
        _loop = loop;
        _channel = channel;
        _family = channel.Family;
        _maxWriteBufferSize = maxWriteBufferSize;
        if (channel is { IsConnected: true, PeerName: { } peer }) _peer = DatagramAddress.Of(peer);
        if (defaultReceiver is not null) _defaultReceiver = DatagramAddress.Of(defaultReceiver);
    }

    public int WriteBufferSize => _state.IsLost ? 0 : _queue.Size;

    public (int Low, int High) WriteBufferLimits => (_flow.Low, _flow.High);

    IStepFlush? IStepFlush.NextToFlush { get; set; }

    /// <summary>What may wait for the end of the step: neither watermark nor limit counts before the kernel was asked.</summary>
    private int MostUnoffered => Math.Min(_flow.High, _maxWriteBufferSize);

    public void SendTo(ReadOnlySpan<byte> data, EndPoint? address = null)
    {
        _loop.VerifyThread();
        var receiver = ReceiverOf(address);
        if (_state.IsLost)
        {
            if (++_droppedSends == SilentlyDroppedSends + 1) _loop.Errors.LogDroppedWrite();
            return;
        }

        if (Overflows(data.Length, receiver)) Flush();
        if (_state.IsLost) return;
        if (Overflows(data.Length, receiver))
        {
            _overflows++;
            ReportOverflow();
            return;
        }

        _queue.Append(_loop.Segments, data, receiver);
        if (_state.Sends == SendSide.Ready)
        {
            if (data.Length >= LargeDatagram || _queue.Size > MostUnoffered) Flush();
            else FlushLater();
        }
        else if (_state.Sends == SendSide.Blocked && !_state.IsClosing && _flow.TryPause(_queue.Size))
        {
            FlowChanged(pause: true);
        }
    }

    public void SetWriteBufferLimits(int? high = null, int? low = null)
    {
        _loop.VerifyThread();
        _flow.SetLimits(high, low);
        if (_queue.Size > _flow.High) Flush();
        if (!_state.IsClosing && _flow.TryPause(_queue.Size)) FlowChanged(pause: true);
    }

    void IStepFlush.FlushStep()
    {
        _flushQueued = false;
        Flush();
    }

    /// <summary>The turn that was asked for has come.</summary>
    private protected void GoOn()
    {
        ReportOverflow();
        Flush();
    }

    private protected void DropQueue() => _queue.Clear(_loop.Segments);

    /// <summary>Ends a close that has nothing more to wait for. True where the endpoint is lost.</summary>
    private protected bool LoseIfDrained()
    {
        if (_state.Life == Life.Closing && _queue.Count == 0 && _state.Sends != SendSide.Flushing) Lose();
        return _state.IsLost;
    }

    /// <summary>The endpoint is over.</summary>
    private protected abstract void Lose();

    private protected abstract void ErrorReceived(Exception error);

    private protected abstract void FlowChanged(bool pause);

    /// <summary>Asks for a turn in which <see cref="GoOn"/> is called.</summary>
    private protected abstract void GoOnLater();

    /// <exception cref="ArgumentException">None, or one that the endpoint cannot send to.</exception>
    private DatagramAddress ReceiverOf(EndPoint? address)
    {
        if (address is null)
        {
            if (_channel.IsConnected) return default;
            return _defaultReceiver.IsNone ? throw new ArgumentException("The endpoint has no remote address: name a receiver.", nameof(address)) : _defaultReceiver;
        }

        var receiver = DatagramAddress.Of(address);
        if (_channel.IsConnected)
        {
            return receiver == _peer ? default
                : throw new ArgumentException($"Invalid address: must be null or {_channel.PeerName?.ToString() ?? "left out"}, the endpoint's only peer.", nameof(address));
        }

        return receiver.Family == _family ? receiver
            : throw new ArgumentException($"{address} is no {_family} address, which this endpoint sends to.", nameof(address));
    }

    private void FlushLater()
    {
        if (_flushQueued) return;
        _flushQueued = true;
        _loop.FlushAtEndOfStep(this);
    }

    /// <summary>
    /// Hands what was queued before the call to the kernel, one refused datagram being reported after the other, and then says what that means: drained, above high, or down to low.
    /// </summary>
    private protected void Flush()
    {
        if (_queue.Count == 0 || !_state.TryBeginFlush()) return;
        var left = _queue.Count;
        var isBlocked = false;
        while (left > 0 && !isBlocked)
        {
            var sent = _channel.TrySend(_queue, out var error);
            _queue.RemoveFirst(_loop.Segments, sent);
            left -= sent;
            if (error.IsNone)
            {
                isBlocked = _queue.Count > 0;
                break;
            }

            _queue.RemoveFirst(_loop.Segments, 1);
            left--;
            if (!_state.IsClosing) ErrorReceived(error.ToException());
            if (_state.IsLost) return;
        }

        _state.EndFlush(isBlocked);
        if (isBlocked) _channel.AwaitRoom();
        else if (_queue.Count > 0) GoOnLater();
        if (LoseIfDrained() || _state.IsClosing) return;
        if (isBlocked && _flow.TryPause(_queue.Size)) FlowChanged(pause: true);
        else if (_flow.TryResume(_queue.Size)) FlowChanged(pause: false);
    }

    /// <summary>For an abort: whatever comes of it, nobody hears.</summary>
    private protected void FlushUnheard()
    {
        if (_state.Sends == SendSide.Blocked) return;
        while (_queue.Count > 0)
        {
            var sent = _channel.TrySend(_queue, out var error);
            _queue.RemoveFirst(_loop.Segments, sent);
            if (error.IsNone) return;
            _queue.RemoveFirst(_loop.Segments, 1);
        }
    }

    private bool Overflows(int length, in DatagramAddress receiver) =>
        _queue.Held + _queue.CostOf(length, receiver) > (_loop.Segments.IsOverBudget ? Math.Min(MostOverBudget, _maxWriteBufferSize) : _maxWriteBufferSize);

    /// <summary>Inside a report only a turn may report the next: a protocol that answers it with more datagrams would fill the stack.</summary>
    private void ReportOverflow()
    {
        if (_overflows == 0 || _state.IsClosing) return;
        if (_reportsOverflow)
        {
            GoOnLater();
            return;
        }

        var dropped = _overflows;
        _overflows = 0;
        _reportsOverflow = true;
        ErrorReceived(new WriteBufferLimitException(
            _maxWriteBufferSize, $"{(dropped == 1 ? "A datagram was" : $"{dropped} datagrams were")} dropped: more than {_maxWriteBufferSize:N0} bytes would wait to be sent."));
        _reportsOverflow = false;
    }
}
