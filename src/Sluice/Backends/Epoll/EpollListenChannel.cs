using System.Net;
using Sluice.Backends.Linux;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.UnixFiles;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>A listening socket in the epoll set. Owned by its server, through the loop.</summary>
internal sealed class EpollListenChannel : ListenChannel, IEpollTarget
{
    /// <summary>How many connections it takes while it finishes from a backlog whose size it does not know: net.core.somaxconn as Linux sets it.</summary>
    private const int MostOfForeignBacklog = 4096;

    private readonly EpollBackend _backend;
    private readonly SafeFd _fd;
    private readonly UnixSocketFile? _file;
    private readonly int _backlog;
    private readonly IListenSink _sink;
    private readonly int _family;
    private readonly EndPoint _localName;

    /// <summary>Set where the listener is bound to every address: then each connection has its own, and is asked for it.</summary>
    private readonly bool _isWildcard;

    /// <summary>Whether others may hold the open socket, and so change its flags and options.</summary>
    private readonly bool _isShared;
    private readonly bool _isBorrowed;
    private readonly bool _isListening;
    private readonly OptionCorrections _corrections;
    private EpollRegistration _registration;
    private LinuxTransportSocket? _socket;
    private Phase _phase;

    /// <summary>How many more it takes; without end until it is to finish.</summary>
    private int _left = -1;

    /// <param name="backend">Whose channel it is.</param>
    /// <param name="fd">The bound socket, owned by the channel from here on.</param>
    /// <param name="file">Its file, where it has one that is ours.</param>
    /// <param name="backlog">How many connections may wait.</param>
    /// <param name="sink">Hears of connections.</param>
    /// <param name="existing">Where the socket comes from if we did not make it.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The socket does not say where it is bound. It stays the caller's.</exception>
    public EpollListenChannel(
        EpollBackend backend, SafeFd fd, UnixSocketFile? file, int backlog, IListenSink sink, ExistingListener? existing = null)
    {
        _backend = backend;
        _fd = fd;
        _file = file;
        _backlog = backlog;
        _sink = sink;
        Span<byte> address = stackalloc byte[SocketConstants.MaxAddressLength];
        var length = backend.System.GetLocalName(fd.Number, address, out var error);
        if (!error.IsNone) throw error.ToException("listen");
        _family = EndPointBytes.FamilyOf(address[..length]);
        _localName = EndPointBytes.ToEndPoint(address[..length])!;
        _isWildcard = _localName is IPEndPoint { Address: var bound } && (bound.Equals(IPAddress.Any) || bound.Equals(IPAddress.IPv6Any));
        if (existing is not null)
        {
            _isShared = true;
            _isBorrowed = existing.IsBorrowed;
            _isListening = existing.IsListening;
            _corrections = existing.Corrections;
        }

        _registration = new EpollRegistration(backend.AddTarget(this));
    }

    private enum Phase
    {
        Bound,
        Accepting,
        Resting,
        Closed,
    }

    public override EndPoint LocalName => _localName;

    private bool IsShared => _isShared || _socket is { IsShared: true };

    public override TransportSocket? Socket => _socket ??= new LinuxTransportSocket(_backend.System, _fd, _family, _localName, peerName: null);

    public override string? Warning => _file?.Warning;

    public override void StartAccepting()
    {
        if (_phase != Phase.Bound) return;
        var error = _isListening ? IoError.None : _backend.System.Listen(_fd.Number, _backlog);
        if (error.IsNone) _file?.OnListening();
        if (error.IsNone) error = _registration.Arm(_backend, _fd.Number, EpollInterest.Readable);
        if (!error.IsNone) throw error.ToException($"listen on {_localName}");
        _phase = Phase.Accepting;
    }

    public override void Close()
    {
        if (_phase == Phase.Closed) return;
        _phase = Phase.Closed;
        _registration.Leave(_backend, _fd.Number);
        _backend.RemoveTarget(_registration.Token);
        CloseSocket();
    }

    public override bool Finish()
    {
        if (_phase is Phase.Bound or Phase.Closed || _isBorrowed)
        {
            Close();
            return false;
        }

        _left = _isListening ? MostOfForeignBacklog : _backlog + 1;
        if (_phase == Phase.Accepting) _backend.Defer(this);
        return true;
    }

    public void OnReady(EpollInterest events)
    {
        if (_left < 0) AcceptRound();
        else FinishRound();
    }

    public void OnDeferred(IoError error)
    {
        if (_phase == Phase.Accepting && _left >= 0) FinishRound();
    }

    // Whether the queue is empty a round that is full does not tell: it goes on at the next Poll.
    private void FinishRound()
    {
        var isEmpty = AcceptRound();
        if (_phase != Phase.Accepting) return;
        if (!isEmpty && _left > 0)
        {
            _backend.Defer(this);
            return;
        }

        Close();
        _sink.OnFinished();
    }

    /// <returns>True where nothing more waits, or a failure says that.</returns>
    private bool AcceptRound()
    {
        // accept has no flag against waiting, and a user's duplicate may have made the socket a blocking one.
        if (IsShared) _backend.System.SetNonBlocking(_fd.Number);
        for (var i = 0; i < AcceptRules.PerPoll && _phase == Phase.Accepting && _left != 0; i++)
        {
            if (!AcceptOne()) return true;
            if (_left > 0) _left--;
        }

        return false;
    }

    public void Abandon()
    {
        _phase = Phase.Closed;
        CloseSocket();
    }

    public IoError Join(int epoll) => _registration.Join(_backend, epoll, _fd.Number);

    /// <summary>The rest after a failure is over.</summary>
    public void EndRest()
    {
        if (_phase != Phase.Resting) return;
        _backend.Reserve.Restore();
        _phase = Phase.Accepting;
        if (!_registration.Arm(_backend, _fd.Number, EpollInterest.Readable).IsNone) BeginRest();
        else if (_left >= 0) _backend.Defer(this);
    }

    private bool AcceptOne()
    {
        Span<byte> address = stackalloc byte[SocketConstants.MaxAddressLength];
        var number = _backend.System.Accept(_fd.Number, address, out var length, out var error);
        if (error.IsNone)
        {
            var fd = new SafeFd(_backend.System, number);
            if (_corrections != OptionCorrections.None) ForeignOptions.Correct(_backend.System, number, _corrections);
            _sink.OnAccepted(Open(fd, address[..length]));
            return true;
        }

        Defect.CrashOn(error, "accept4");
        var verdict = AcceptRules.Judge(error);
        if (verdict == AcceptVerdict.Rest)
        {
            if (AcceptRules.TurnsOneAway(error) && _backend.Lingering.CutOldest()) return true;
            if (AcceptRules.TurnsOneAway(error) && !_backend.Reserve.Shed(_fd.Number)) return false;
            BeginRest();
            _sink.OnAcceptFailed(error);
        }

        return verdict == AcceptVerdict.TryNext;
    }

    private EpollStreamChannel Open(SafeFd fd, ReadOnlySpan<byte> peer)
    {
        try
        {
            var localName = _isWildcard ? _backend.LocalNames.Of(fd.Number) : _localName;
            return new EpollStreamChannel(_backend, fd, _family, localName, new PeerAddress(peer), IsShared ? SocketPast.OfForeignListener : SocketPast.Own);
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    private void BeginRest()
    {
        _phase = Phase.Resting;
        _registration.Leave(_backend, _fd.Number);
        _backend.Rest(this);
    }

    // The file goes first, so that nobody meets one without a listener.
    private void CloseSocket()
    {
        _socket?.Release();
        _file?.OnClosing();
        _fd.Dispose();
    }
}
