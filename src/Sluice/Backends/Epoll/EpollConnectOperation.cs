using Sluice.Backends.Linux;
using Sluice.Backends.Linux.Addresses;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>A connect under way. It owns the socket until it hands it, with its slot, to a channel.</summary>
internal sealed class EpollConnectOperation : IoOperation, IEpollTarget
{
    private readonly EpollBackend _backend;
    private readonly int _family;
    private IConnectSink? _sink;
    private SafeFd? _fd;
    private EpollRegistration _registration;
    private ConnectStep _step;

    public EpollConnectOperation(EpollBackend backend, ReadOnlySpan<byte> remote, IConnectSink sink)
    {
        _backend = backend;
        _family = EndPointBytes.FamilyOf(remote);
        _sink = sink;
    }

    /// <summary>Asks the kernel to connect. Whatever it answers is reported from Poll.</summary>
    /// <param name="fd">The socket, or null where none could be made.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="step">How far it got without one.</param>
    /// <param name="error">Why there is no socket.</param>
    public void Start(SafeFd? fd, ReadOnlySpan<byte> remote, ConnectStep step, IoError error)
    {
        _step = step;
        if (fd is null)
        {
            _backend.Defer(this, error);
            return;
        }

        _fd = fd;
        _registration = new EpollRegistration(_backend.AddTarget(this));
        error = _backend.System.Connect(fd.Number, remote);
        // An interrupted connect goes on like one in progress.
        if (error == IoError.InProgress || error == IoError.Interrupted)
        {
            // One-shot: the channel arms its own interest later, and until then the socket must not report its room to write.
            error = _registration.Arm(_backend, fd.Number, EpollInterest.Writable | EpollInterest.OneShot);
            if (error.IsNone) return;
        }

        _backend.Defer(this, error);
    }

    public override void Cancel()
    {
        if (_sink is null) return;
        _sink = null;
        CloseSocket();
    }

    public void OnReady(EpollInterest events)
    {
        _registration.OnOneShot();
        var pending = _backend.System.GetOption(_fd!.Number, SocketConstants.LevelSocket, SocketConstants.OptionError, out var error);
        Report(error.IsNone ? new IoError(pending) : error);
    }

    public void OnDeferred(IoError error) => Report(error);

    public void Abandon()
    {
        _sink = null;
        _fd?.Dispose();
    }

    public IoError Join(int epoll) => _fd is { } fd ? _registration.Join(_backend, epoll, fd.Number) : IoError.None;

    private void Report(IoError error)
    {
        if (_sink is not { } sink) return;
        Defect.CrashOn(error, "connect");
        _sink = null;
        if (error.IsNone)
        {
            var names = new ConnectedNames(_backend.System, _fd!.Number, _family);
            if (names.IsItself)
            {
                // Nobody listens at a port of this machine, and the kernel gave the client that very port. To the caller the server is dead.
                CloseSocket();
                sink.OnConnectFailed(ConnectStep.Connect, IoError.ConnectionRefused);
                return;
            }

            var fd = _fd;
            _fd = null;
            sink.OnConnected(EpollStreamChannel.OfConnected(_backend, fd, _family, names, SocketPast.Own, _registration));
        }
        else
        {
            CloseSocket();
            sink.OnConnectFailed(_step, error);
        }
    }

    private void CloseSocket()
    {
        if (_fd is not { } fd) return;
        _fd = null;
        // Nobody else has seen the socket: its close takes it out of the set.
        _backend.RemoveTarget(_registration.Token);
        fd.Dispose();
    }
}
