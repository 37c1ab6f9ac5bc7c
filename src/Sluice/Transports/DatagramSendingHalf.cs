using System.Net;
using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// The sending half of a datagram transport: to whom, the queue, its watermarks, and when datagrams go to the kernel. A struct inside its <see cref="DatagramTransport"/>, which checks the thread
/// before it passes on a call of the user's.
/// </summary>
/// <remarks>
/// Every path settles the queue first and calls the user last; whatever comes after a call of the user's reads the state anew. What a callback of a flush sends, because of an error perhaps,
/// waits for a turn of its own: a protocol that repeats what was refused keeps itself busy, not the loop.
/// </remarks>
internal struct DatagramSendingHalf
{
    /// <summary>From this size on a datagram is offered to the kernel at once.</summary>
    private const int LargeDatagram = 4096;

    /// <summary>How many datagrams to a closed endpoint are dropped before there is a warning.</summary>
    private const int SilentlyDroppedSends = 4;

    private readonly DatagramTransport _transport;
    private readonly DatagramAddress _peer;
    private readonly DatagramAddress _defaultReceiver;
    private readonly AddressFamily _family;
    private readonly int _maxWriteBufferSize;
    private DatagramQueue _queue;
    private EndPoint? _lastUnix;
    private DatagramAddress _lastUnixAddress;
    private FlowControl _flow = new();
    private int _overflows;
    private int _droppedSends;
    private bool _flushQueued;
    private bool _reportsOverflow;

    public DatagramSendingHalf(DatagramTransport transport, int maxWriteBufferSize, EndPoint? defaultReceiver)
    {
        _transport = transport;
        _family = transport.Channel.Family;
        _maxWriteBufferSize = maxWriteBufferSize;
        if (transport.Channel is { IsConnected: true, PeerName: { } peer }) _peer = DatagramAddress.Of(peer);
        if (defaultReceiver is not null) _defaultReceiver = DatagramAddress.Of(defaultReceiver);
    }

    public readonly int Size => _queue.Size;

    public readonly (int Low, int High) Limits => (_flow.Low, _flow.High);

    /// <summary>Nothing that was accepted waits any more, and no flush is under way.</summary>
    public readonly bool IsDrained => _queue.Count == 0 && _transport.State.Sends != SendSide.Flushing;

    /// <summary>What may wait for the end of the step: neither watermark nor limit counts before the kernel was asked.</summary>
    private readonly int MostUnoffered => Math.Min(_flow.High, _maxWriteBufferSize);

    public void SendTo(ReadOnlySpan<byte> data, EndPoint? address)
    {
        var receiver = ReceiverOf(address);
        if (_transport.State.IsLost)
        {
            if (++_droppedSends == SilentlyDroppedSends + 1) _transport.Loop.Errors.LogDroppedWrite();
            return;
        }

        var size = (long)data.Length + DatagramQueue.HeaderSize;
        if (_queue.Size + size > _maxWriteBufferSize) Flush();
        if (_transport.State.IsLost) return;
        if (_queue.Size + size > _maxWriteBufferSize)
        {
            _overflows++;
            ReportOverflow();
            return;
        }

        _queue.Append(_transport.Loop.Segments, data, receiver);
        if (_transport.State.Sends == SendSide.Ready)
        {
            if (data.Length >= LargeDatagram || _queue.Size > MostUnoffered) Flush();
            else FlushLater();
        }
        else if (_transport.State.Sends == SendSide.Blocked && !_transport.State.IsClosing && _flow.TryPause(_queue.Size))
        {
            _transport.CallFlowChanged(pause: true);
        }
    }

    public void SetLimits(int? high, int? low)
    {
        _flow.SetLimits(high, low);
        if (_queue.Size > _flow.High) Flush();
        if (!_transport.State.IsClosing && _flow.TryPause(_queue.Size)) _transport.CallFlowChanged(pause: true);
    }

    /// <summary>The step has ended that something waited for.</summary>
    public void OnEndOfStep()
    {
        _flushQueued = false;
        Flush();
    }

    /// <summary>The turn that was asked for has come.</summary>
    public void GoOn()
    {
        ReportOverflow();
        Flush();
    }

    public void Drop() => _queue.Clear(_transport.Loop.Segments);

    /// <exception cref="ArgumentException">None, or one that the endpoint cannot send to.</exception>
    private DatagramAddress ReceiverOf(EndPoint? address)
    {
        if (address is null)
        {
            if (_transport.Channel.IsConnected) return default;
            return _defaultReceiver.IsNone ? throw new ArgumentException("The endpoint has no remote address: name a receiver.", nameof(address)) : _defaultReceiver;
        }

        var receiver = AddressOf(address);
        if (_transport.Channel.IsConnected)
        {
            return receiver == _peer ? default
                : throw new ArgumentException($"Invalid address: must be null or {_transport.Channel.PeerName?.ToString() ?? "left out"}, the endpoint's only peer.", nameof(address));
        }

        return receiver.Family == _family ? receiver
            : throw new ArgumentException($"{address} is no {_family} address, which this endpoint sends to.", nameof(address));
    }

    // To look at a Unix name allocates, and who sends to one mostly goes on to send there. It cannot be changed.
    private DatagramAddress AddressOf(EndPoint address)
    {
        if (address is IPEndPoint) return DatagramAddress.Of(address);
        if (!ReferenceEquals(address, _lastUnix)) (_lastUnixAddress, _lastUnix) = (DatagramAddress.Of(address), address);
        return _lastUnixAddress;
    }

    private void FlushLater()
    {
        if (_flushQueued) return;
        _flushQueued = true;
        _transport.Loop.FlushAtEndOfStep(_transport);
    }

    /// <summary>
    /// Hands what was queued before the call to the kernel, one refused datagram being reported after the other, and then says what that means: drained, above high, or down to low.
    /// </summary>
    public void Flush()
    {
        if (_queue.Count == 0 || !_transport.State.TryBeginFlush()) return;
        var left = _queue.Count;
        var isBlocked = false;
        while (left > 0 && !isBlocked)
        {
            var sent = _transport.Channel.TrySend(_queue, out var error);
            _queue.RemoveFirst(_transport.Loop.Segments, sent);
            left -= sent;
            if (error.IsNone)
            {
                isBlocked = _queue.Count > 0;
                break;
            }

            _queue.RemoveFirst(_transport.Loop.Segments, 1);
            left--;
            if (!_transport.State.IsClosing) _transport.CallErrorReceived(error.ToException());
            if (_transport.State.IsLost) return;
        }

        _transport.State.EndFlush(isBlocked);
        if (isBlocked) _transport.Channel.AwaitRoom();
        else if (_queue.Count > 0) _transport.GoOnLater();
        if (_transport.LoseIfDrained() || _transport.State.IsClosing) return;
        if (isBlocked && _flow.TryPause(_queue.Size)) _transport.CallFlowChanged(pause: true);
        else if (_flow.TryResume(_queue.Size)) _transport.CallFlowChanged(pause: false);
    }

    /// <summary>For an abort: whatever comes of it, nobody hears.</summary>
    public void FlushUnheard()
    {
        if (_transport.State.Sends == SendSide.Blocked) return;
        while (_queue.Count > 0)
        {
            var sent = _transport.Channel.TrySend(_queue, out var error);
            _queue.RemoveFirst(_transport.Loop.Segments, sent);
            if (error.IsNone) return;
            _queue.RemoveFirst(_transport.Loop.Segments, 1);
        }
    }

    /// <summary>Inside a report only a turn may report the next: a protocol that answers it with more datagrams would fill the stack.</summary>
    private void ReportOverflow()
    {
        if (_overflows == 0 || _transport.State.IsClosing) return;
        if (_reportsOverflow)
        {
            _transport.GoOnLater();
            return;
        }

        var dropped = _overflows;
        _overflows = 0;
        _reportsOverflow = true;
        _transport.CallErrorReceived(new WriteBufferLimitException(
            _maxWriteBufferSize, $"{(dropped == 1 ? "A datagram was" : $"{dropped} datagrams were")} dropped: more than {_maxWriteBufferSize:N0} bytes would wait to be sent."));
        _reportsOverflow = false;
    }
}
