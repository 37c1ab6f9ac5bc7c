using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Sluice.Backends.Linux;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.Datagrams;
using Sluice.Backends.Linux.UnixFiles;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>One datagram socket in the epoll set. Owned by its transport, which is its sink.</summary>
/// <remarks>
/// <para>It is added to the epoll set when it is made, with no interest yet: no call that is needed later to receive can fail.</para>
/// <para>Reports of a socket that somebody has shut down, through a duplicate, do not end; nothing more can come then, so it is asked about input no longer.</para>
/// </remarks>
internal sealed class EpollDatagramChannel : DatagramChannel, IEpollTarget
{
    private const EpollInterest Read = EpollInterest.Readable | EpollInterest.ReadHangUp;
    private const EpollInterest Write = EpollInterest.Writable;
    private const EpollInterest ReadEvents = Read | EpollInterest.Broken;

    private readonly EpollBackend _backend;
    private readonly SafeFd _fd;
    private readonly int _number;
    private readonly int _family;
    private readonly bool _isShared;
    private readonly UnixSocketFile? _file;
    private readonly SenderNames _senders = new();
    private IDatagramSink? _sink;
    private EpollRegistration _registration;
    private EndPoint? _localName;
    private LinuxTransportSocket? _socket;
    private Phase _phase;
    private bool _isReading;
    private bool _awaitsRoom;

    /// <summary>The last receive brought datagrams that the kernel had merged.</summary>
    private bool _getsMerged;
    private int _largestSegment;

    /// <param name="backend">Whose channel it is.</param>
    /// <param name="fd">The socket, owned by the channel where the constructor returns.</param>
    /// <param name="remote">The peer that it was connected to; whether a socket of somebody else's is connected, the kernel says.</param>
    /// <param name="file">Its file, or null.</param>
    /// <param name="isShared">It was somebody else's, who may still hold it: its options stay as they are.</param>
    /// <param name="options">How it behaves.</param>
    /// <exception cref="SocketException">The kernel cannot watch it.</exception>
    public EpollDatagramChannel(EpollBackend backend, SafeFd fd, EndPoint? remote, UnixSocketFile? file, bool isShared, DatagramOptions options)
    {
        _backend = backend;
        _fd = fd;
        _number = fd.Number;
        _file = file;
        _isShared = isShared;
        _family = backend.System.GetOption(_number, SocketConstants.LevelSocket, SocketConstants.OptionDomain, out var error);
        if (!error.IsNone) throw error.ToException("open a datagram socket");
        if (options.SegmentationOffload && _family != SocketConstants.FamilyUnix) PrepareRuns();
        _localName = AskLocalName();
        IsConnected = TryAskPeer(remote, out var peer);
        PeerName = peer;
        _registration = new EpollRegistration(backend.AddTarget(this));
        error = _registration.Arm(backend, _number, EpollInterest.OneShot);
        if (error.IsNone) return;
        backend.RemoveTarget(_registration.Token);
        throw error.ToException("open a datagram socket");
    }

    private enum Phase : byte
    {
        Open,
        Releasing,
        Released,
    }

    public override nint Handle => _phase == Phase.Open ? _number : -1;

    public override AddressFamily Family => _family switch
    {
        SocketConstants.FamilyInet => AddressFamily.InterNetwork,
        SocketConstants.FamilyInet6 => AddressFamily.InterNetworkV6,
        SocketConstants.FamilyUnix => AddressFamily.Unix,
        _ => AddressFamily.Unknown,
    };

    /// <summary>A socket that was not bound gets its port from its first send.</summary>
    public override EndPoint? LocalName
    {
        get
        {
            if (_phase == Phase.Open && _localName is null or IPEndPoint { Port: 0 }) _localName = AskLocalName() ?? _localName;
            return _localName;
        }
    }

    public override EndPoint? PeerName { get; }

    public override bool IsConnected { get; }

    public override TransportSocket? Socket
    {
        get
        {
            if (_socket is null)
            {
                _socket = new LinuxTransportSocket(_backend.System, _fd, _family, LocalName, PeerName, SocketType.Dgram);
                if (_phase != Phase.Open) _socket.Release();
            }

            return _socket;
        }
    }

    /// <summary>A one-shot interest in nothing reports an error or a hang-up once, and is silent then.</summary>
    private EpollInterest Wanted => !_isReading && !_awaitsRoom ? EpollInterest.OneShot : (_isReading ? Read : 0) | (_awaitsRoom ? Write : 0);

    public override void Attach(IDatagramSink sink)
    {
        Debug.Assert(_sink is null, "a channel has one sink");
        _sink = sink;
    }

    public override void StartReading()
    {
        if (_phase != Phase.Open || _isReading) return;
        _isReading = true;
        Arm();
    }

    public override int TrySend(in DatagramQueue queue, out IoError error)
    {
        error = IoError.None;
        return _phase == Phase.Open ? _backend.DatagramSender.Send(_number, queue, ref _largestSegment, out error) : 0;
    }

    public override void AwaitRoom()
    {
        if (_phase != Phase.Open) return;
        // A receiver's full queue keeps a Unix socket from sending there, and epoll knows that only of a peer that it is connected to: of itself, the socket has room.
        if (_family == SocketConstants.FamilyUnix && !IsConnected)
        {
            _backend.Rest(this);
            return;
        }

        _awaitsRoom = true;
        Arm();
    }

    public override IoError SetMembership(bool join, IPAddress group, int interfaceIndex, IPAddress? source) =>
        DatagramSockets.SetMembership(_backend.System, _number, join, group, interfaceIndex, source);

    public override void Close()
    {
        if (_phase != Phase.Open) return;
        _ = LocalName;
        _phase = Phase.Releasing;
        _isReading = _awaitsRoom = false;
        _socket?.Release();
        _file?.OnClosing();
        // The kernel takes a closed file out of the set by itself, if it was the last one: see GhostEvents.
        if (_isShared || _socket is { IsShared: true }) _registration.Leave(_backend, _number);
        _backend.RemoveTarget(_registration.Token);
        _fd.Dispose();
        _backend.Defer(this);
    }

    public void OnReady(EpollInterest events)
    {
        if (_phase != Phase.Open) return;
        if (_isReading && (events & ReadEvents) != 0) ReadReady(events);
        if (_awaitsRoom && (events & (Write | EpollInterest.Broken)) != 0)
        {
            _awaitsRoom = false;
            _sink!.OnRoom();
        }

        if (_phase == Phase.Open) Arm();
    }

    public void OnDeferred(IoError error)
    {
        if (_phase != Phase.Releasing) return;
        _phase = Phase.Released;
        _sink?.OnClosed();
    }

    /// <summary>The time to wait is over: perhaps the receiver has room.</summary>
    public void EndRest()
    {
        if (_phase == Phase.Open) _sink!.OnRoom();
    }

    public void Abandon()
    {
        _phase = Phase.Released;
        _isReading = _awaitsRoom = false;
        _socket?.Release();
        _file?.OnClosing();
        _fd.Dispose();
    }

    public IoError Join(int epoll) => _registration.Join(_backend, epoll, _number);

    private void ReadReady(EpollInterest events)
    {
        var receiver = _backend.DatagramReceiver;
        var isFirst = true;
        int count;
        var (left, bytes) = (MostPerPoll, MostBytesPerPoll);
        do
        {
            var asked = _getsMerged ? 1 : Math.Min(Math.Min(DatagramReceiver.Slots, left), (bytes + DatagramReceiver.SlotSize - 1) / DatagramReceiver.SlotSize);
            count = receiver.Receive(_number, asked, mayMerge: _family != SocketConstants.FamilyUnix, out var error);
            if (!error.IsNone && !OnReceiveFailed(error, events, isFirst)) break;
            _getsMerged = false;
            for (var i = 0; i < count && _phase == Phase.Open; i++)
            {
                bytes -= receiver.DataAt(i).Length;
                left -= Deliver(receiver, i);
            }

            isFirst = false;
            if (count < asked) break;
        }
        while (left > 0 && bytes > 0 && _phase == Phase.Open);

        if (!isFirst) _sink!.OnBatchEnd();
    }

    /// <returns>How many datagrams the message held.</returns>
    private int Deliver(DatagramReceiver receiver, int index)
    {
        if (receiver.IsTruncatedAt(index))
        {
            _sink!.OnTruncated();
            return 1;
        }

        var data = receiver.DataAt(index);
        var sender = _senders.Of(receiver.SenderAt(index));
        var size = receiver.SegmentSizeAt(index);
        if (size <= 0 || size >= data.Length)
        {
            _sink!.OnDatagram(data, sender);
            return 1;
        }

        _getsMerged = true;
        var count = 0;
        for (; !data.IsEmpty && _phase == Phase.Open; count++)
        {
            var length = Math.Min(size, data.Length);
            _sink!.OnDatagram(data[..length], sender);
            data = data[length..];
        }

        return count;
    }

    // Old kernels pass over the wish to cut a message and send it whole: so they are asked first whether they know it. A size that the socket's former owner has set stays.
    private void PrepareRuns()
    {
        var size = _backend.System.GetOption(_number, SocketConstants.ProtocolUdp, SocketConstants.OptionUdpSegment, out var error);
        if (error.IsNone && size == 0) _largestSegment = DatagramSender.LargestSegment;
        if (!_isShared) _backend.System.SetOption(_number, SocketConstants.ProtocolUdp, SocketConstants.OptionUdpMerge, 1);
    }

    /// <returns>True where the sink was told.</returns>
    private bool OnReceiveFailed(IoError error, EpollInterest events, bool isFirst)
    {
        if (error == IoError.Interrupted) return false;
        if (error == IoError.WouldBlock)
        {
            if (!isFirst) return false;
            if ((events & (EpollInterest.ReadHangUp | EpollInterest.HangUp)) != 0) _isReading = false;
            else if ((events & EpollInterest.Error) != 0) _backend.System.DropQueuedError(_number);
            return false;
        }

        Defect.CrashOn(error, "recvmmsg");
        _sink!.OnReceiveFailed(error);
        return true;
    }

    // Changes what the set asks for, which cannot fail.
    private void Arm() => _registration.Arm(_backend, _number, Wanted);

    // The kernel knows best what it is connected to. Where it does not say, the end point that the user named can be changed by him: hence a copy.
    private bool TryAskPeer(EndPoint? remote, out EndPoint? peer)
    {
        peer = null;
        if (remote is null && !_isShared) return false;
        Span<byte> address = stackalloc byte[SocketConstants.MaxAddressLength];
        var length = _backend.System.GetPeerName(_number, address, out var error);
        if (!error.IsNone && remote is null) return error == IoError.NotConnected ? false : throw error.ToException("take over a socket");
        peer = EndPointBytes.ToEndPoint(error.IsNone ? address[..length] : EndPointBytes.Of(remote!));
        return true;
    }

    private EndPoint? AskLocalName()
    {
        Span<byte> address = stackalloc byte[SocketConstants.MaxAddressLength];
        var length = _backend.System.GetLocalName(_number, address, out var error);
        return error.IsNone ? EndPointBytes.ToEndPoint(address[..length]) : null;
    }
}
