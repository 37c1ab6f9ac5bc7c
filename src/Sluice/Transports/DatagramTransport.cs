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
internal sealed class DatagramTransport : IDatagramTransport, IDatagramSink, IStepFlush, ILoopWork, ILoopTransport, IExtraInfoSource
{
    internal DatagramState State;
    private DatagramSendingHalf _sending;
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
    {
        Loop = loop;
        Channel = channel;
        _sending = new DatagramSendingHalf(this, origin.Options.MaxWriteBufferSize, origin.DefaultReceiver);
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
            var protocol = ProtocolFactory.Make<IDatagramTransport, TProtocol>(factory, origin.Context);
            return new DatagramTransport(loop, channel, (DatagramProtocol)protocol.Instance, origin);
        }
        catch
        {
            channel.Close();
            throw;
        }
    }

    internal LoopCore Loop { get; }

    /// <summary>The socket.</summary>
    internal DatagramChannel Channel { get; }

    public bool IsClosing => State.IsClosing;

    public BaseProtocol? Protocol => _binding.Protocol;

    public int WriteBufferSize => State.IsLost ? 0 : _sending.Size;

    public (int Low, int High) WriteBufferLimits => _sending.Limits;

    /// <summary>The descriptor, or -1 once it is closed.</summary>
    public nint Handle => Channel.Handle;

    public void SendTo(ReadOnlySpan<byte> data, EndPoint? address = null)
    {
        Loop.VerifyThread();
        _sending.SendTo(data, address);
    }

    public void SetWriteBufferLimits(int? high = null, int? low = null)
    {
        Loop.VerifyThread();
        _sending.SetLimits(high, low);
    }

    public void Close()
    {
        Loop.VerifyThread();
        if (State.Life == Life.Opening) Abandon();
        // What the kernel refuses of the datagrams sent before is still told: from Closing on only ConnectionLost is called.
        _sending.Flush();
        if (State.TryClose()) LoseIfDrained();
    }

    public void Abort()
    {
        Loop.VerifyThread();
        if (State.Life == Life.Opening) Abandon();
        if (State.IsLost) return;
        _sending.FlushUnheard();
        Lose();
    }

    public void SetProtocol(IProtocol<IDatagramTransport> protocol)
    {
        ArgumentNullException.ThrowIfNull(protocol);
        Loop.VerifyThread();
        ProtocolBinding.CheckFree(this, protocol.Instance);
        _sending.Flush();
        if (_binding.Protocol is not null) _binding.Bind(this, (DatagramProtocol)protocol.Instance);
    }

    public void JoinMulticastGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null) =>
        SetMembership(join: true, group, interfaceIndex, source);

    public void LeaveMulticastGroup(IPAddress group, int interfaceIndex = 0, IPAddress? source = null) =>
        SetMembership(join: false, group, interfaceIndex, source);

    public bool TryGetExtraInfo<T>(ExtraInfo<T> key, [MaybeNullWhen(false)] out T value) => ExtraInfoLookup.TryGet(this, key, out value);

    public T? GetExtraInfo<T>(ExtraInfo<T> key) where T : class => TryGetExtraInfo(key, out var value) ? value : null;

    public object? GetExtraInfo(string name, object? defaultValue = null) => ExtraInfoLookup.Get(this, name, defaultValue);

    public override string ToString() => $"<{nameof(DatagramTransport)} {State.Life} {Channel.LocalName} <-> {Channel.PeerName?.ToString() ?? "anyone"}>";

    /// <summary>At the loop's end: what is open is aborted, what is closing may go on for a while, what was never made goes.</summary>
    public void EndWithLoop()
    {
        if (State.Life == Life.Opening) Abandon();
        if (State.Life != Life.Open) return;
        if (Loop.Debug) Loop.Errors.LogNeverClosed(this);
        Abort();
    }

    /// <summary>Before ConnectionMade: goes without a callback.</summary>
    public void Abandon()
    {
        if (!State.TryAbandon()) return;
        _waiter = null;
        Release();
    }

    IStepFlush? IStepFlush.NextToFlush { get; set; }

    void IStepFlush.FlushStep() => _sending.OnEndOfStep();

    void IDatagramSink.OnDatagram(ReadOnlySpan<byte> data, EndPoint? sender)
    {
        if (State.Life == Life.Open) _binding.DatagramReceived(this, data, sender);
    }

    // Only a Unix socket can be sent more than the channel has room for.
    void IDatagramSink.OnTruncated()
    {
        _truncated++;
        if (State.Life != Life.Open) return;
        _binding.ErrorReceived(this, new SocketException(
            (int)SocketError.MessageSize, $"A datagram arrived that is too long to be received; it was dropped ({_truncated} so far on this endpoint)."));
    }

    void IDatagramSink.OnReceiveFailed(IoError reason)
    {
        if (State.Life == Life.Open) _binding.ErrorReceived(this, reason.ToException());
    }

    void IDatagramSink.OnBatchEnd() => Loop.EndStep();

    void IDatagramSink.OnRoom()
    {
        if (State.TryUnblock()) _sending.Flush();
        Loop.EndStep();
    }

    void IDatagramSink.OnClosed()
    {
        if (State.TryRelease()) Loop.OpenChannels--;
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
                if (!State.IsLost) Channel.StartReading();
                break;
            case Turn.GoOn:
                _turnQueued = false;
                _sending.GoOn();
                break;
            case Turn.Lost:
                _binding.ConnectionLost(this);
                Release();
                break;
        }
    }

    private void Start()
    {
        if (!State.TryOpen()) return;
        _binding.ConnectionMade(this);
        var waiter = _waiter;
        _waiter = null;
        waiter?.OnStarted(this);
        Loop.Enqueue(this, Turn.Read);
    }

    internal void CallErrorReceived(Exception error) => _binding.ErrorReceived(this, error);

    internal void CallFlowChanged(bool pause) => _binding.FlowChanged(this, pause);

    /// <summary>Asks for a turn in which sending goes on.</summary>
    internal void GoOnLater()
    {
        if (_turnQueued) return;
        _turnQueued = true;
        Loop.Enqueue(this, Turn.GoOn);
    }

    /// <summary>Ends a close that has nothing more to wait for. True where the endpoint is lost.</summary>
    internal bool LoseIfDrained()
    {
        if (State.Life == Life.Closing && _sending.IsDrained) Lose();
        return State.IsLost;
    }

    private void Lose()
    {
        if (!State.TryLose()) return;
        _sending.Drop();
        Loop.Enqueue(this, Turn.Lost);
    }

    private void Release()
    {
        _binding.Release();
        _set.Remove(this);
        Channel.Close();
    }

    private void SetMembership(bool join, IPAddress group, int interfaceIndex, IPAddress? source)
    {
        ArgumentNullException.ThrowIfNull(group);
        ArgumentOutOfRangeException.ThrowIfNegative(interfaceIndex);
        Loop.VerifyThread();
        ObjectDisposedException.ThrowIf(State.IsClosing, this);
        if (group.AddressFamily != Channel.Family) throw new ArgumentException($"{group} is no {Channel.Family} address, which this endpoint has.", nameof(group));
        if (!IsMulticast(group)) throw new ArgumentException($"{group} is no multicast address.", nameof(group));
        if (source is not null && source.AddressFamily != Channel.Family) throw new ArgumentException($"{source} is no {Channel.Family} address, which this endpoint has.", nameof(source));
        var error = Channel.SetMembership(join, group, interfaceIndex, source);
        if (!error.IsNone) throw error.ToException($"{(join ? "join" : "leave")} {group}");
    }

    private static bool IsMulticast(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4 ? bytes[0] is >= 224 and < 240 : bytes[0] == 0xFF;
    }

    object? IExtraInfoSource.FindExtraInfo(string name) => name switch
    {
        "socket" => Channel.Socket,
        "sockname" => Channel.LocalName,
        "peername" => Channel.PeerName,
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
