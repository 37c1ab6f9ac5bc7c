using System.Runtime.InteropServices;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>The watch over a descriptor that stays its user's. Owned by the loop.</summary>
/// <remarks>
/// It takes no reference on the handle, because a Socket's Dispose would wait for that reference for ever. A user who closes the
/// descriptor before ending the watch has ended it: the kernel drops a closed file from the set by itself.
/// </remarks>
internal sealed class EpollWatchChannel : WatchChannel, IEpollTarget
{
    private readonly EpollBackend _backend;
    private readonly SafeHandle _handle;
    private readonly IWatchSink _sink;
    private readonly int _number;
    private readonly ulong _token;
    private EpollInterest _wanted;
    private bool _isInSet;
    private bool _isClosed;

    public EpollWatchChannel(EpollBackend backend, SafeHandle handle, IWatchSink sink)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed || handle.IsInvalid, handle);
        _backend = backend;
        _handle = handle;
        _sink = sink;
        _number = (int)handle.DangerousGetHandle();
        _token = backend.AddTarget(this);
        // Joining now, interested in nothing, tells whether the kernel can watch it at all: regular files answer EPERM.
        var error = backend.Control(EpollOperation.Add, _number, EpollInterest.None, _token);
        if (error.IsNone)
        {
            _isInSet = true;
            return;
        }

        backend.RemoveTarget(_token);
        throw error.ToException("watch a descriptor");
    }

    public override void SetInterest(bool readable, bool writable)
    {
        ObjectDisposedException.ThrowIf(_isClosed, this);
        var wanted = (readable ? EpollInterest.Readable : 0) | (writable ? EpollInterest.Writable : 0);
        if (wanted == _wanted && (_isInSet || wanted == 0)) return;
        if (wanted == 0)
        {
            _wanted = wanted;
            Leave();
            return;
        }

        var error = _backend.Control(_isInSet ? EpollOperation.Modify : EpollOperation.Add, _number, wanted, _token);
        if (!error.IsNone) throw error.ToException("watch a descriptor");
        _isInSet = true;
        _wanted = wanted;
    }

    public override void Close()
    {
        if (_isClosed) return;
        _isClosed = true;
        Leave();
        _backend.RemoveTarget(_token);
    }

    public void OnReady(EpollInterest events)
    {
        if (_wanted == 0)
        {
            Leave();
            return;
        }

        // A broken descriptor is ready for everything: the user's call will tell.
        if ((events & EpollInterest.Broken) != 0) events |= EpollInterest.Readable | EpollInterest.Writable;
        if ((events & _wanted & EpollInterest.Readable) != 0) _sink.OnReadable();
        if ((events & _wanted & EpollInterest.Writable) != 0 && !_isClosed) _sink.OnWritable();
    }

    public void OnDeferred(IoError error)
    {
    }

    public void Abandon() => _isClosed = true;

    // What its user has closed meanwhile stays behind.
    public IoError Join(int epoll)
    {
        if (!_isInSet) return IoError.None;
        var error = _handle.IsClosed ? IoError.BadDescriptor : _backend.System.EpollControl(epoll, EpollOperation.Add, _number, _wanted, _token);
        return error == IoError.BadDescriptor ? IoError.None : error;
    }

    // The number of a closed handle may be someone else's by now.
    private void Leave()
    {
        if (_isInSet && !_handle.IsClosed) _backend.Control(EpollOperation.Remove, _number, EpollInterest.None, _token);
        _isInSet = false;
    }
}
