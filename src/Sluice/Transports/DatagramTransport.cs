using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Loop;
using Sluice.Primitives;

namespace Sluice.Transports;

/// <summary>
/// A datagram endpoint with asyncio's semantics over any backend's channel: its life, what it receives, and whom it calls. State machine, queue, flow control and binding are structs in it. Lives
/// on the loop's thread.
/// </summary>
/// <remarks>Every path settles the state first and calls the user last; whatever comes after a call of the user's reads the state anew.</remarks>
internal sealed class DatagramTransport : SendingDatagramTransport, IDatagramTransport, IDatagramSink, ILoopWork, ILoopTransport
{
    private DatagramBinding _binding;
    private bool _turnQueued;
    private int _truncated;
    private readonly HashSet<DatagramTransport> _set;
    private IEndpointWaiter? _waiter;

    /// <param name="loop">The loop.</param>
    /// <param name="channel">The socket, from here on the transport's.</param>
    /// <param name="protocol">Who is called.</param>
    /// <param name="origin">Where it comes from.</param>
    public DatagramTransport(LoopCore loop, DatagramChannel channel, DatagramProtocol protocol, in DatagramOrigin origin)
        : base(loop, channel, origin.Options.MaxWriteBufferSize, origin.DefaultReceiver)
    {
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

    /// <summary>The descriptor, or -1 once it is closed.</summary>
    public nint Handle => _channel.Handle;

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
                GoOn();
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

    private protected override void ErrorReceived(Exception error) => _binding.ErrorReceived(this, error);

    private protected override void FlowChanged(bool pause) => _binding.FlowChanged(this, pause);

    private protected override void GoOnLater()
    {
        if (_turnQueued) return;
        _turnQueued = true;
        _loop.Enqueue(this, Turn.GoOn);
    }

    private protected override void Lose()
    {
        if (!_state.TryLose()) return;
        DropQueue();
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
