using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// A datagram endpoint with asyncio's semantics over any backend's channel: its life, its queue, and whom it calls. State machine, queue, flow control and binding are structs in it.
/// Lives on the loop's thread.
/// </summary>
/// <remarks>
/// Every path settles the state first and calls the user last; whatever comes after a call of the user's reads the state anew. What a callback of a flush sends, because of an error
/// perhaps, waits for a turn of its own: a protocol that repeats what was refused keeps itself busy, not the loop.
/// </remarks>
internal sealed class DatagramTransport : IDatagramTransport, IDatagramSink, ILoopWork, IStepFlush, ILoopTransport
{
    /// <summary>From this size on a datagram is offered to the kernel at once.</summary>
    private const int LargeDatagram = 4096;

    /// <summary>How many datagrams to a closed endpoint stay unremarked.</summary>
    private const int SilentlyDroppedSends = 4;

    private readonly DatagramChannel _channel;
    private readonly LoopCore _loop;
    private DatagramState _state;
    private DatagramBinding _binding;
    private DatagramQueue _queue;
    private FlowControl _flow = new();
    private bool _flushQueued;
    private bool _turnQueued;
    private bool _reportsOverflow;
    private int _overflows;
    private int _droppedSends;
    private int _truncated;
    private readonly int _maxWriteBufferSize;
    private readonly AddressFamily _family;
    private readonly DatagramAddress _peer;
    private readonly DatagramAddress _defaultReceiver;
    private readonly HashSet<DatagramTransport> _set;
    private IEndpointWaiter? _waiter;

    /// <param name="loop">The loop.</param>
    /// <param name="channel">The socket, from here on the transport's.</param>
    /// <param name="protocol">Who is called.</param>
    /// <param name="origin">Where it comes from.</param>
    public DatagramTransport(LoopCore loop, DatagramChannel channel, DatagramProtocol protocol, in DatagramOrigin origin)
    {
        _loop = loop;
        _channel = channel;
        _family = channel.Family;
        _maxWriteBufferSize = origin.Options.MaxWriteBufferSize;
        if (channel is { IsConnected: true, PeerName: { } peer }) _peer = DatagramAddress.Of(peer);
        if (origin.DefaultReceiver is { } receiver) _defaultReceiver = DatagramAddress.Of(receiver);
        _set = origin.Set;
        _waiter = origin.Waiter;
        _binding = new DatagramBinding(loop, origin.Context);
        _binding.Bind(this, protocol);
        channel.Attach(this);
        loop.OpenChannels++;
        _set.Add(this);
        loop.Enqueue(this, Turn.Start);
    }

    /// <summary>Makes the protocol and its transport for a fresh socket. Owns the channel: whatever goes wrong, it is closed.</summary>
    /// <exception cref="InvalidOperationException">The factory returned null, or a protocol that serves another transport.</exception>
    public static DatagramTransport Create<TProtocol>(LoopCore loop, DatagramChannel channel, Func<TProtocol> factory, in DatagramOrigin origin)
        where TProtocol : class, IProtocol<IDatagramTransport>
    {
        try
        {
            CallbackContext.Enter(origin.Context);
            var protocol = factory() ?? throw new InvalidOperationException("The protocol factory returned null.");
            if (protocol.Instance.Serves is not null)
            {
                throw new InvalidOperationException(
                    $"The protocol factory returned a {protocol.GetType()} that already serves another transport: a protocol and its transport are one to one.");
            }

            return new DatagramTransport(loop, channel, (DatagramProtocol)protocol.Instance, origin);
        }
        catch
        {
            channel.Close();
            throw;
        }
    }

    public bool IsClosing => _state.IsClosing;

    public BaseProtocol? Protocol => _binding.Protocol;

    public int WriteBufferSize => _state.IsLost ? 0 : _queue.Size;

    public (int Low, int High) WriteBufferLimits => (_flow.Low, _flow.High);

    /// <summary>The descriptor, or -1 once it is closed.</summary>
    public nint Handle => _channel.Handle;

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

        var size = (long)data.Length + DatagramQueue.HeaderSize;
        if (_queue.Size + size > _maxWriteBufferSize) Flush();
        if (_state.IsLost) return;
        if (_queue.Size + size > _maxWriteBufferSize)
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
            _binding.FlowChanged(this, pause: true);
        }
    }

    public void SetWriteBufferLimits(int? high = null, int? low = null)
    {
        _loop.VerifyThread();
        _flow.SetLimits(high, low);
        if (_queue.Size > _flow.High) Flush();
        if (!_state.IsClosing && _flow.TryPause(_queue.Size)) _binding.FlowChanged(this, pause: true);
    }

    public void Close()
    {
        _loop.VerifyThread();
        if (_state.Life == Life.Opening) Abandon();
        // What the kernel refuses of the datagrams sent before is still told: from Closing on only ConnectionLost is called.
        Flush();
        if (_state.TryClose()) LoseIfDrained();
    }

    public void Abort()
    {
        _loop.VerifyThread();
        if (_state.Life == Life.Opening) Abandon();
        if (_state.IsLost) return;
        FlushUnheard();
        Lose();
    }

    public void SetProtocol(IProtocol<IDatagramTransport> protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        _loop.VerifyThread();
        ProtocolBinding.CheckFree(this, protocol.Instance);
        Flush();
        if (_binding.Protocol is not null) _binding.Bind(this, (DatagramProtocol)protocol.Instance);
    }

    public void JoinMulticastGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null) =>
        SetMembership(join: true, group, interfaceIndex, source);

    public void LeaveMulticastGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null) =>
        SetMembership(join: false, group, interfaceIndex, source);

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (FindExtraInfo(key.Name) is T found)
        {
            value = found;
            return true;
        }

        value = default;
        return false;
    }

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => TryGetExtraInfo(key, out var value) ? value : null;

    public object? GetExtraInfo(string name, object? defaultValue = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return FindExtraInfo(name) ?? defaultValue;
    }

    public override string ToString() => $"<{nameof(DatagramTransport)} {_state.Life} {_channel.LocalName} <-> {_channel.PeerName?.ToString() ?? "anyone"}>";

    /// <summary>At the loop's end: what is open is aborted, what is closing may go on for a while, what was never made goes.</summary>
    public void EndWithLoop()
    {
        if (_state.Life == Life.Opening) Abandon();
        if (_state.Life != Life.Open) return;
        if (_loop.Debug) _loop.Errors.LogNeverClosed(this);
        Abort();
    }

    /// <summary>Before ConnectionMade: goes without a callback.</summary>
    public void Abandon()
    {
        if (!_state.TryAbandon()) return;
        _waiter = null;
        Release();
    }

    void IDatagramSink.OnDatagram(ReadOnlySpan<byte> data, EndPoint? sender)
    {
        if (_state.Life == Life.Open) _binding.DatagramReceived(this, data, sender);
    }

    // Only a Unix socket can be sent more than the channel has room for.
    void IDatagramSink.OnTruncated()
    {
        _truncated++;
        if (_state.Life != Life.Open) return;
        _binding.ErrorReceived(this, new SocketException(
            (int)SocketError.MessageSize, $"A datagram arrived that is too long to be received; it was dropped ({_truncated} so far on this endpoint)."));
    }

    void IDatagramSink.OnReceiveFailed(IoError reason)
    {
        if (_state.Life == Life.Open) _binding.ErrorReceived(this, reason.ToException());
    }

    void IDatagramSink.OnBatchEnd() => _loop.EndStep();

    void IDatagramSink.OnRoom()
    {
        if (_state.TryUnblock()) Flush();
        _loop.EndStep();
    }

    void IDatagramSink.OnClosed()
    {
        if (_state.TryRelease()) _loop.OpenChannels--;
    }

    void IStepFlush.FlushStep()
    {
        _flushQueued = false;
        Flush();
    }

    void ILoopWork.Run(int code)
    {
        switch (code)
        {
            case Turn.Start:
                Start();
                break;
            case Turn.Read:
                // Also while closing: what waits may be for an endpoint that waits for this one to take something, or for itself.
                if (!_state.IsLost) _channel.StartReading();
                break;
            case Turn.GoOn:
                _turnQueued = false;
                ReportOverflow();
                Flush();
                break;
            case Turn.Lost:
                _binding.ConnectionLost(this);
                Release();
                break;
        }
    }

    private void Start()
    {
        if (!_state.TryOpen()) return;
        _binding.ConnectionMade(this);
        var waiter = _waiter;
        _waiter = null;
        waiter?.OnStarted(this);
        _loop.Enqueue(this, Turn.Read);
    }

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
    private void Flush()
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
            if (!_state.IsClosing) _binding.ErrorReceived(this, error.ToException());
            if (_state.IsLost) return;
        }

        _state.EndFlush(isBlocked);
        if (isBlocked) _channel.AwaitRoom();
        else if (_queue.Count > 0) GoOnLater();
        if (LoseIfDrained() || _state.IsClosing) return;
        if (isBlocked && _flow.TryPause(_queue.Size)) _binding.FlowChanged(this, pause: true);
        else if (_flow.TryResume(_queue.Size)) _binding.FlowChanged(this, pause: false);
    }

    /// <summary>For an abort: whatever comes of it, nobody hears.</summary>
    private void FlushUnheard()
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
        _binding.ErrorReceived(this, new WriteBufferLimitException(
            _maxWriteBufferSize, $"{(dropped == 1 ? "A datagram was" : $"{dropped} datagrams were")} dropped: more than {_maxWriteBufferSize:N0} bytes would wait to be sent."));
        _reportsOverflow = false;
    }

    private void GoOnLater()
    {
        if (_turnQueued) return;
        _turnQueued = true;
        _loop.Enqueue(this, Turn.GoOn);
    }

    private bool LoseIfDrained()
    {
        if (_state.Life == Life.Closing && _queue.Count == 0 && _state.Sends != SendSide.Flushing) Lose();
        return _state.IsLost;
    }

    private void Lose()
    {
        if (!_state.TryLose()) return;
        _queue.Clear(_loop.Segments);
        _loop.Enqueue(this, Turn.Lost);
    }

    private void Release()
    {
        _binding.Release();
        _set.Remove(this);
        _channel.Close();
    }

    private void SetMembership(bool join, IPAddress group, int interfaceIndex, IPAddress? source)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentOutOfRangeException.ThrowIfNegative(interfaceIndex);
        _loop.VerifyThread();
        ObjectDisposedException.ThrowIf(_state.IsClosing, this);
        if (group.AddressFamily != _family) throw new ArgumentException($"{group} is no {_family} address, which this endpoint has.", nameof(group));
        if (!IsMulticast(group)) throw new ArgumentException($"{group} is no multicast address.", nameof(group));
        if (source is not null && source.AddressFamily != _family) throw new ArgumentException($"{source} is no {_family} address, which this endpoint has.", nameof(source));
        var error = _channel.SetMembership(join, group, interfaceIndex, source);
        if (!error.IsNone) throw error.ToException($"{(join ? "join" : "leave")} {group}");
    }

    private static bool IsMulticast(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4 ? bytes[0] is >= 224 and < 240 : bytes[0] == 0xFF;
    }

    private object? FindExtraInfo(string name) => name switch
    {
        "socket" => _channel.Socket,
        "sockname" => _channel.LocalName,
        "peername" => _channel.PeerName,
        _ => null,
    };

    /// <summary>The kinds of turn that an endpoint queues for itself.</summary>
    private static class Turn
    {
        public const int Start = 0;
        public const int Read = 1;
        public const int GoOn = 2;
        public const int Lost = 3;
    }
}
