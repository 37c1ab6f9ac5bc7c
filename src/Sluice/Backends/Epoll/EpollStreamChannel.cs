using System.Diagnostics;
using System.Net;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends.Linux;
using Sluice.Backends.Linux.Addresses;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>One connected socket in the epoll set. Owned by its transport, which is its sink.</summary>
/// <remarks><code>
/// Open --Close--> Lingering --peer's end, error, or time--> Releasing --next Poll--> Released (OnClosed was called)
///      --Close(reset), or nothing to linger for----------->
/// </code></remarks>
internal sealed class EpollStreamChannel : StreamChannel, IEpollTarget, ILingering
{
    private const EpollInterest Read = EpollInterest.Readable;
    private const EpollInterest Write = EpollInterest.Writable;

    private readonly EpollBackend _backend;
    private IStreamSink? _sink;
    private readonly int _number;
    private Phase _phase;
    private bool _isReading;
    private bool _isWriting;
    private bool _awaitsRoom;
    private EpollRegistration _registration;
    private WriteSlice _outgoing;

    /// <summary>Nothing will come from the peer that a close could destroy: it has ended its stream, or the connection broke.</summary>
    private bool _isInputOver;
    private readonly SocketPast _past;
    private readonly byte _family;
    private int _lingeringPlace;
    private readonly SafeFd _fd;
    private readonly EndPoint? _localName;
    private PeerAddress _peer;
    private LinuxTransportSocket? _socket;

    /// <param name="backend">Whose channel it is.</param>
    /// <param name="fd">The connected socket, owned by the channel from here on.</param>
    /// <param name="family">The address family, as Linux numbers it.</param>
    /// <param name="localName">The local address.</param>
    /// <param name="peer">The peer's address.</param>
    /// <param name="past">Whose hands it has been in.</param>
    /// <param name="slot">The slot to take over from the connect operation, whose one-shot interest is used up.</param>
    public EpollStreamChannel(
        EpollBackend backend, SafeFd fd, int family, EndPoint? localName, PeerAddress peer, SocketPast past = SocketPast.Own, EpollRegistration? slot = null)
    {
        _backend = backend;
        _fd = fd;
        _number = fd.Number;
        _family = (byte)family;
        _localName = localName;
        _peer = peer;
        _past = past;
        if (slot is { } taken)
        {
            _registration = taken;
            backend.ReplaceTarget(taken.Token, this);
        }
        else
        {
            _registration = new EpollRegistration(backend.AddTarget(this));
        }
    }

    private enum Phase : byte
    {
        Open,
        Lingering,
        Releasing,
        Released,
    }

    public override nint Handle => _phase == Phase.Open ? _number : -1;

    public override EndPoint? LocalName => _localName;

    public override EndPoint? PeerName => _peer.EndPoint;

    public override TransportSocket? Socket
    {
        get
        {
            if (_socket is null)
            {
                _socket = new LinuxTransportSocket(_backend.System, _fd, _family, LocalName, PeerName);
                if (_phase != Phase.Open) _socket.Release();
            }

            return _socket;
        }
    }

    public override PeerCredentials? PeerCredentials => ((LinuxTransportSocket)Socket!).PeerCredentials;

    /// <summary>Whether others may hold the open socket, so that a close of ours ends nothing, and its flags are not ours alone.</summary>
    private bool IsShared => _past == SocketPast.TakenOver || _socket is { IsShared: true };

    /// <summary>Whether the socket may have an SO_LINGER that is none of ours: its own, its listener's, or that of a duplicate that was left to the finalizer.</summary>
    private bool MayLinger => _past != SocketPast.Own || _socket is { IsShared: true };

    public override int Unread => _phase == Phase.Open ? _backend.System.BytesWaiting(_number) : 0;

    private EpollInterest Wanted => (_isReading ? Read : 0) | (_isWriting || _awaitsRoom ? Write : 0);

    /// <summary>A channel over a socket whose addresses only the kernel knows.</summary>
    public static EpollStreamChannel OfConnected(
        EpollBackend backend, SafeFd fd, int family, in ConnectedNames names, SocketPast past, EpollRegistration? slot = null) =>
        new(backend, fd, family, names.Local, names.Peer, past, slot);

    public override void Attach(IStreamSink sink)
    {
        Debug.Assert(_sink is null, "a channel has one sink");
        _sink = sink;
    }

    public override void StartReading()
    {
        if (_phase != Phase.Open || _isReading) return;
        _isReading = true;
        Arm(Read);
    }

    public override void StopReading() => _isReading = false;

    public override int TryWrite(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        Debug.Assert(!_isWriting, "a write is outstanding");
        error = IoError.None;
        return _phase == Phase.Open ? Send(queue, extra, out error) : 0;
    }

    public override void StartWrite(in WriteSlice queue)
    {
        Debug.Assert(!_isWriting, "a write is outstanding");
        if (_phase != Phase.Open) return;
        _outgoing = queue;
        _isWriting = true;
        Arm(Write);
    }

    public override bool TrySendFile(SafeFileHandle file, long offset, long count, out long sent, out IoError error)
    {
        Debug.Assert(!_isWriting && !_awaitsRoom, "a write is outstanding or room is awaited");
        sent = 0;
        error = IoError.None;
        if (_phase != Phase.Open) return false;

        // Who shares the socket may have made it one that blocks, and there is no flag for this one call.
        if (IsShared) _backend.System.SetNonBlocking(_number);
        sent = Math.Max(0, _backend.System.SendFile(_number, file, offset, count, out error));
        if (error == IoError.WouldBlock)
        {
            error = IoError.None;
            return false;
        }

        if (error.EndsConnection) _isInputOver = true;
        return sent == count || (sent == 0 && error.IsNone);
    }

    public override void AwaitRoom()
    {
        Debug.Assert(!_isWriting, "a write is outstanding");
        if (_phase != Phase.Open || _awaitsRoom) return;
        _awaitsRoom = true;
        Arm(Write);
    }

    public override void StopAwaitingRoom() => _awaitsRoom = false;

    public override void LimitClosing(TimeSpan timeout)
    {
        if (_phase == Phase.Open && SocketFactory.IsTcp(_family)) SocketFactory.LimitUnacknowledged(_backend.System, _number, timeout, keepsShorter: _past != SocketPast.Own);
    }

    // A connection that is already broken refuses; its next read or write says so.
    public override void ShutdownWrite()
    {
        Debug.Assert(!_isWriting, "a write is outstanding");
        if (_phase == Phase.Open) Defect.CrashOn(_backend.System.ShutdownWrite(_number), "shutdown");
    }

    public override void Close(bool reset)
    {
        if (_phase != Phase.Open) return;
        _isReading = _isWriting = _awaitsRoom = false;
        _outgoing = default;
        _socket?.Release();
        if (reset) Reset();
        else CloseGracefully();
    }

    public void OnReady(EpollInterest events)
    {
        var wasOver = _isInputOver;
        if (_phase == Phase.Lingering) Discard();
        else Serve(events);
        if ((events & EpollInterest.Error) == 0 || _phase > Phase.Lingering || _isInputOver != wasOver) return;
        if (SocketFactory.IsTcp(_family)) ForeignOptions.DropNotes(_backend.System, _number);
    }

    private void Serve(EpollInterest events)
    {
        if ((events & (Read | Write) & ~Wanted) != 0 || Wanted == 0)
        {
            _registration.Arm(_backend, _number, Wanted);
            if (Wanted == 0) return;
        }

        if (_isReading && (events & (Read | EpollInterest.Broken)) != 0)
        {
            ReadReady();
            // The read brings the error, after the bytes before it. A write would take it away from there.
            if ((events & EpollInterest.Broken) != 0) return;
        }

        if ((events & (Write | EpollInterest.Broken)) == 0) return;
        if (_isWriting) WriteReady();
        else if (_awaitsRoom) ReportRoom();
    }

    public void OnDeferred(IoError error)
    {
        if (_phase == Phase.Releasing)
        {
            _phase = Phase.Released;
            _sink?.OnClosed();
        }
        else if (_phase == Phase.Open)
        {
            OnRefused(error);
        }
    }

    public void Abandon()
    {
        _phase = Phase.Released;
        _isReading = _isWriting = _awaitsRoom = false;
        if (MayLinger) ForeignOptions.CloseInOrder(_backend.System, _number);
        _socket?.Release();
        _fd.Dispose();
    }

    public IoError Join(int epoll) => _registration.Join(_backend, epoll, _number);

    /// <summary>The backend's limit on lingering is reached.</summary>
    public void LetGo() => ReleaseInOrder();

    private unsafe void ReadReady()
    {
        if (AsksForTarget)
        {
            var target = _sink!.ReadTarget();
            if (!_isReading) return;
            if (!target.IsEmpty)
            {
                int filled;
                IoError failure;
                fixed (byte* pointer = target.Span) filled = _backend.System.Receive(_number, pointer, target.Length, out failure);
                if (filled > 0) _sink.OnReadInto(filled);
                else EndReading(failure);
                return;
            }
        }

        var count = _backend.System.Receive(_number, _backend.ReadBufferAddress, IoBackend.ReadBufferSize, out var error);
        if (count > 0) _sink!.OnRead(_backend.ReadBuffer[..count]);
        else EndReading(error);
    }

    private void EndReading(IoError error)
    {
        if (error == IoError.WouldBlock || error == IoError.Interrupted) return;
        Defect.CrashOn(error, "recv");
        _isReading = false;
        _isInputOver = true;
        _sink!.OnReadEnd(error);
    }

    private void WriteReady()
    {
        var count = Send(_outgoing, default, out var error);
        if (count == 0 && error.IsNone) return;
        _isWriting = false;
        _outgoing = default;
        _sink!.OnWritten(count, error);
        DisarmWrite();
    }

    private void ReportRoom()
    {
        _awaitsRoom = false;
        _sink!.OnRoom(IoError.None);
        DisarmWrite();
    }

    private void DisarmWrite()
    {
        if (_phase == Phase.Open && (Wanted & Write) == 0 && (_registration.Armed & Write) != 0) _registration.Arm(_backend, _number, Wanted);
    }

    private int Send(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        var count = _backend.Sender.Send(_number, queue, extra, out error);
        if (!error.IsNone) _isInputOver = true;
        return count;
    }

    private void Arm(EpollInterest direction)
    {
        if ((_registration.Armed & direction) != 0) return;
        var error = _registration.Arm(_backend, _number, Wanted);
        if (!error.IsNone) _backend.Defer(this, error);
    }

    // The epoll set would not take the descriptor (the system is out of memory): the connection cannot go on.
    private void OnRefused(IoError error)
    {
        _isInputOver = true;
        if (_isWriting)
        {
            _isWriting = false;
            _outgoing = default;
            _sink!.OnWritten(0, error);
        }
        else if (_awaitsRoom)
        {
            _awaitsRoom = false;
            _sink!.OnRoom(error);
        }
        else if (_isReading)
        {
            _isReading = false;
            _sink!.OnReadEnd(error);
        }
    }

    private void Reset()
    {
        if (SocketFactory.IsTcp(_family)) _backend.System.SetLinger(_number, new LingerValue { OnOff = 1 });
        Release();
    }

    private void CloseGracefully()
    {
        if (_isInputOver)
        {
            if (IsShared) _backend.System.ShutdownWrite(_number);
            ReleaseInOrder();
            return;
        }

        if (!_backend.System.ShutdownWrite(_number).IsNone || !_registration.Arm(_backend, _number, Read).IsNone)
        {
            ReleaseInOrder();
            return;
        }

        _phase = Phase.Lingering;
        _lingeringPlace = _backend.Lingering.Add(this);
    }

    private unsafe void Discard()
    {
        var count = _backend.System.Receive(_number, _backend.ReadBufferAddress, IoBackend.ReadBufferSize, out var error);
        if (error == IoError.WouldBlock || error == IoError.Interrupted) return;
        if (count > 0 && _backend.Lingering.Discard(_lingeringPlace, count)) return;
        _backend.Lingering.Remove(_lingeringPlace);
        ReleaseInOrder();
    }

    private void ReleaseInOrder()
    {
        if (MayLinger) ForeignOptions.CloseInOrder(_backend.System, _number);
        Release();
    }

    private void Release()
    {
        _phase = Phase.Releasing;
        // The kernel takes a closed file out of the set by itself, if it was the last one: see GhostEvents.
        if (IsShared) _registration.Leave(_backend, _number);
        _backend.RemoveTarget(_registration.Token);
        _fd.Dispose();
        _backend.Defer(this);
    }
}
