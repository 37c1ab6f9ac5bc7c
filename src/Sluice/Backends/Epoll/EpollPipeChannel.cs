using System.Diagnostics;
using System.Net;
using Sluice.Backends.Linux;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>One end of a pipe in the epoll set: a FIFO, a socket or a character device. Owned by its transport, which is its sink.</summary>
/// <remarks>
/// <para>A reading end that hangs up is read like one with input: what was written comes first, then the end. A writing end is watched for errors
/// alone, which is how the kernel tells that no reader is left: EPOLLERR on a FIFO, EPOLLHUP on a socket whose peer is gone. A peer that has only ended its
/// own sending is still a reader. Terminals are not watched for that: the other direction is theirs too.</para>
/// <para>Some devices cannot be in an epoll set (EPERM), because they never let anyone wait: /dev/null, /dev/zero. They are ready at every Poll.</para>
/// <para>Nothing lingers: a pipe keeps what was written when its writer closes. The descriptor always leaves the set before it is let go, because
/// others may hold the open file: standard input is the shell's too.</para>
/// </remarks>
internal sealed class EpollPipeChannel : StreamChannel, IEpollTarget
{
    private readonly EpollBackend _backend;
    private readonly PipeDescriptor _pipe;
    private readonly int _number;
    private readonly EpollInterest _reads;
    private IStreamSink? _sink;
    private Phase _phase;
    private bool _isReading;
    private bool _isWriting;
    private bool _isAlwaysReady;
    private bool _isTurnDeferred;
    private EpollRegistration _registration;
    private WriteSlice _outgoing;

    /// <param name="backend">Whose channel it is.</param>
    /// <param name="pipe">The descriptor, owned by the channel from here on.</param>
    /// <param name="end">What it is for.</param>
    public EpollPipeChannel(EpollBackend backend, PipeDescriptor pipe, PipeEnd end)
    {
        _backend = backend;
        _pipe = pipe;
        _number = pipe.Number;
        _reads = end == PipeEnd.Read ? EpollInterest.Readable : pipe.IsDevice ? EpollInterest.None : EpollInterest.Error;
        _registration = new EpollRegistration(backend.AddTarget(this));
    }

    private enum Phase : byte
    {
        Open,
        Releasing,
        Released,
    }

    public override nint Handle => _phase == Phase.Open ? _number : -1;

    public override EndPoint? LocalName => null;

    public override EndPoint? PeerName => null;

    public override TransportSocket? Socket => null;

    private EpollInterest Wanted => (_isReading ? _reads : 0) | (_isWriting ? EpollInterest.Writable : 0);

    public override void Attach(IStreamSink sink)
    {
        Debug.Assert(_sink is null, "a channel has one sink");
        _sink = sink;
    }

    public override void StartReading()
    {
        if (_phase != Phase.Open || _isReading || _reads == EpollInterest.None) return;
        _isReading = true;
        Arm(_reads);
    }

    public override void StopReading() => _isReading = false;

    public override int TryWrite(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        Debug.Assert(!_isWriting, "a write is outstanding");
        error = IoError.None;
        return _phase == Phase.Open ? _backend.Writer.Send(_number, queue, extra, out error) : 0;
    }

    public override void StartWrite(in WriteSlice queue)
    {
        Debug.Assert(!_isWriting, "a write is outstanding");
        if (_phase != Phase.Open) return;
        _outgoing = queue;
        _isWriting = true;
        Arm(EpollInterest.Writable);
    }

    public override void ShutdownWrite() => throw new UnreachableException("The end of a pipe is its close.");

    public override void Close(bool reset)
    {
        if (_phase != Phase.Open) return;
        _phase = Phase.Releasing;
        _isReading = _isWriting = false;
        _outgoing = default;
        _registration.Leave(_backend, _number);
        _backend.RemoveTarget(_registration.Token);
        _pipe.Release();
        _backend.Defer(this);
    }

    public void OnReady(EpollInterest events)
    {
        if ((events & (EpollInterest.Readable | EpollInterest.Writable) & ~Wanted) != 0 || Wanted == 0)
        {
            _registration.Arm(_backend, _number, Wanted);
            if (Wanted == 0) return;
        }

        if (_isReading && (events & (_reads | EpollInterest.Broken)) != 0) ReadReady();
        else if (_isWriting && (events & (EpollInterest.Writable | EpollInterest.Broken)) != 0) WriteReady();
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
            _isTurnDeferred = false;
            if (error.IsNone) BeReady();
            else OnRefused(error);
        }
    }

    public void Abandon()
    {
        _phase = Phase.Released;
        _isReading = _isWriting = false;
        _pipe.Release();
    }

    public IoError Join(int epoll) => _registration.Join(_backend, epoll, _number);

    private unsafe void ReadReady()
    {
        if (_reads == EpollInterest.Error)
        {
            _isReading = false;
            _sink!.OnReadEnd(IoError.None);
            return;
        }

        var count = _backend.System.Read(_number, _backend.ReadBufferAddress, IoBackend.ReadBufferSize, out var error);
        if (count > 0)
        {
            _sink!.OnRead(_backend.ReadBuffer[..count]);
        }
        else if (error != IoError.WouldBlock && error != IoError.Interrupted)
        {
            Defect.CrashOn(error, "read");
            _isReading = false;
            _sink!.OnReadEnd(error);
        }
    }

    private void WriteReady()
    {
        var count = _backend.Writer.Send(_number, _outgoing, default, out var error);
        if (count == 0 && error.IsNone) return;
        _isWriting = false;
        _outgoing = default;
        _sink!.OnWritten(count, error);
        if (_phase == Phase.Open && !_isWriting && (_registration.Armed & EpollInterest.Writable) != 0) _registration.Arm(_backend, _number, Wanted);
    }

    private void Arm(EpollInterest direction)
    {
        if ((_registration.Armed & direction) != 0) return;
        if (_isAlwaysReady)
        {
            DeferTurn(IoError.None);
            return;
        }

        var error = _registration.Arm(_backend, _number, Wanted);
        _isAlwaysReady = error == IoError.NotPermitted;
        if (!error.IsNone) DeferTurn(_isAlwaysReady ? IoError.None : error);
    }

    private void DeferTurn(IoError error)
    {
        if (_isTurnDeferred) return;
        _isTurnDeferred = true;
        _backend.Defer(this, error);
    }

    private void BeReady()
    {
        if (_isReading) ReadReady();
        if (_phase == Phase.Open && _isWriting) WriteReady();
        if (_phase == Phase.Open && Wanted != EpollInterest.None) DeferTurn(IoError.None);
    }

    // The epoll set would not take the descriptor (the system is out of memory): the pipe cannot go on.
    private void OnRefused(IoError error)
    {
        if (_isWriting)
        {
            _isWriting = false;
            _outgoing = default;
            _sink!.OnWritten(0, error);
        }
        else if (_isReading)
        {
            _isReading = false;
            _sink!.OnReadEnd(error);
        }
    }
}
