using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sluice.Backends.Linux;
using Sluice.Backends.Linux.Addresses;
using Sluice.Backends.Linux.Datagrams;
using Sluice.Backends.Linux.Processes;
using Sluice.Backends.Linux.UnixFiles;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Epoll;

/// <summary>The kernel as seen through epoll: one set of descriptors per loop, and what is opened for it. Created, polled and disposed by its loop.</summary>
/// <remarks>
/// <para>Facts of epoll, and what follows from them here.</para>
/// <para><i>Level-triggered</i> reporting repeats an event for as long as it holds. So one read per event is enough, a large
/// transfer cannot starve other connections, and nothing is lost where a callback stops reading. Edge triggering would need a read
/// that fails at the end of each burst, at 0.4 us.</para>
/// <para><i>Errors and hang-ups are always reported</i>, even to a descriptor registered for nothing: one whose peer has reset it
/// would wake a loop that ignores it as often as the processor allows. So interest is never zero: a descriptor found ready with
/// nothing wanted leaves the set, and comes back when something is. A stop of reading alone changes only a flag, because most stops
/// end before the next event; if one comes, it costs one wake-up.</para>
/// <para><i>Changing interest costs 0.4 us</i>, a twentieth of an echo. So a descriptor is asked about input all its life, and about
/// room to write only while a write has been refused: a socket has room nearly always.</para>
/// <para><i>An error may come with data before it.</i> So an error event of a reading channel is only a reason to read: the bytes come
/// out first, the error last. FIN is input like bytes (a read of none), so EPOLLRDHUP is not asked for.</para>
/// <para>What the set itself is like: see <see cref="EpollSet"/>.</para>
/// </remarks>
internal sealed class EpollBackend : IoBackend
{
    private readonly EpollSet _set;
    private readonly byte[] _readBuffer = GC.AllocateUninitializedArray<byte>(ReadBufferSize, pinned: true);
    private readonly Queue<(IEpollTarget Target, IoError Error)> _deferred = new();
    private readonly RestingListeners _resting;
    private readonly RestingSenders _restingSenders;
    private readonly NameResolution _names;
    private readonly SignalWatches _signals;
    private readonly PosixLauncher _launcher;
    private DatagramReceiver? _datagramReceiver;
    private DatagramSender? _datagramSender;
    private GatheringSender<FileWriting>? _writer;
    private bool _hasOnlyReported;
    private bool _isDisposed;

    /// <param name="system">The kernel, or a test's stand-in.</param>
    /// <param name="clock">Times the rest of listeners and the lingering of connections.</param>
    /// <exception cref="SocketException">The system has no descriptor to spare.</exception>
    public EpollBackend(Syscalls? system = null, IClock? clock = null)
    {
        System = system ?? Syscalls.System;
        Clock = clock ?? MonotonicClock.Instance;
        Lingering = new LingeringQueue(Clock) { Capacity = Math.Max(1, DescriptorLimit / LingeringShare) };
        Sender = new GatheringSender<SocketSending>(System);
        LocalNames = new LocalNames(System);
        BorrowedModes = new BorrowedModes(System);
        _resting = new RestingListeners(Clock);
        _restingSenders = new RestingSenders(Clock);
        _names = new NameResolution(this);
        _signals = new SignalWatches(this);
        _launcher = new PosixLauncher(System);
        _set = new EpollSet(System, Clock);
        Reserve = new ReserveDescriptor(System);
    }

    public override IClock Clock { get; }

    public override int DescriptorLimit => System.DescriptorLimit();

    public override int MaxLingering
    {
        get => Lingering.Capacity;
        set => Lingering.Capacity = value;
    }

    public override long CutConnections => Lingering.Cut;

    public override bool SupportsReusePort => true;

    public override uint? UserId => System.EffectiveUser();

    public Syscalls System { get; }

    /// <summary>Connections that were closed gracefully and still wait for their peers.</summary>
    public LingeringQueue Lingering { get; }

    public GatheringSender<SocketSending> Sender { get; }

    /// <summary>As <see cref="Sender"/>, for pipes: made with the first of them.</summary>
    public GatheringSender<FileWriting> Writer => _writer ??= new GatheringSender<FileWriting>(System);

    /// <summary>The open files of others that are in non-blocking mode for our sake.</summary>
    public BorrowedModes BorrowedModes { get; }

    public unsafe DatagramReceiver DatagramReceiver => _datagramReceiver ??= new DatagramReceiver(System, ReadBufferAddress);

    public DatagramSender DatagramSender => _datagramSender ??= new DatagramSender(System);

    public LocalNames LocalNames { get; }

    public ReserveDescriptor Reserve { get; }

    /// <summary>The memory that all reads of the loop share; good until the next read.</summary>
    public Span<byte> ReadBuffer => _readBuffer;

    public unsafe byte* ReadBufferAddress => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_readBuffer));

    public override bool Poll(TimeSpan timeout)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        Wakeups++;
        if (ReportInsteadOfLooking()) return true;
        var count = _set.Wait(WaitTime(timeout));
        var reported = count > 0 || _deferred.Count > 0;
        if (_deferred.Count > 0) ReportDeferred();
        for (var i = 0; i < count && !_isDisposed; i++) Dispatch(i);
        if (_isDisposed) return reported;
        _set.RenewIfDue();
        Lingering.LetDueGo();
        _resting.RouseDue();
        _restingSenders.RouseDue();
        return reported;
    }

    public override void Wake() => _set.Wake();

    public override IoOperation Connect(EndPoint? local, EndPoint remote, StreamOptions options, IConnectSink sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var remoteBytes = EndPointBytes.Of(remote);
        var localBytes = local is null ? default : EndPointBytes.Of(local);
        var operation = new EpollConnectOperation(this, remoteBytes, sink);
        var fd = SocketFactory.OpenClient(System, remoteBytes, localBytes, options, out var step, out var error);
        operation.Start(fd, remoteBytes, step, error);
        return operation;
    }

    public override IoOperation Resolve(string host, AddressFamily family, ILookupSink<IReadOnlyList<IPAddress>> sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _names.Resolve(host, family, sink);
    }

    public override IoOperation Reverse(IPAddress address, ILookupSink<string> sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _names.Reverse(address, sink);
    }

    public override ListenChannel Listen(EndPoint local, ServerOptions options, IListenSink sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var fd = SocketFactory.OpenListener(System, local, options, out var file);
        try
        {
            return new EpollListenChannel(this, fd, file, options.Backlog, sink);
        }
        catch
        {
            file?.Remove();
            fd.Dispose();
            throw;
        }
    }

    public override ListenChannel AdoptListener(SafeHandle socket, ListenerOwnership ownership, ServerOptions options, IListenSink sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ObjectDisposedException.ThrowIf(socket.IsClosed || socket.IsInvalid, socket);
        var listener = ExistingListener.Open(System, socket, ownership, options);
        try
        {
            return new EpollListenChannel(this, listener.Fd, listener.File, options.Backlog, sink, listener);
        }
        catch
        {
            listener.File?.Leave();
            listener.Fd.Dispose();
            throw;
        }
    }

    public override StreamChannel Adopt(SafeHandle socket, StreamOptions options)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ObjectDisposedException.ThrowIf(socket.IsClosed || socket.IsInvalid, socket);
        var fd = SocketFactory.TakeOver(System, socket);
        try
        {
            var family = SocketFactory.CheckConnectedStream(System, fd.Number);
            if (SocketFactory.IsTcp(family))
            {
                SocketFactory.SetTcpOptions(System, fd.Number, options);
                ForeignOptions.PutRight(System, fd.Number, options);
            }

            return EpollStreamChannel.OfConnected(this, fd, family, new ConnectedNames(System, fd.Number, family), SocketPast.TakenOver);
        }
        catch
        {
            fd.Dispose();
            throw;
        }
    }

    public override DatagramChannel OpenDatagram(AddressFamily family, EndPoint? local, EndPoint? remote, DatagramOptions options)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var fd = DatagramSockets.Open(System, family, local, remote, options, out var file);
        return NewDatagramChannel(fd, remote, file, isShared: false, options);
    }

    public override DatagramChannel AdoptDatagram(SafeHandle socket, DatagramOptions options)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        ObjectDisposedException.ThrowIf(socket.IsClosed || socket.IsInvalid, socket);
        return NewDatagramChannel(DatagramSockets.TakeOver(System, socket), remote: null, file: null, isShared: true, options);
    }

    public override bool CanBePipe(SafeHandle handle, PipeEnd end) => PipeDescriptor.CanBe(System, handle, end);

    public override StreamChannel OpenPipe(SafeHandle handle, PipeEnd end)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return new EpollPipeChannel(this, PipeDescriptor.TakeOver(System, BorrowedModes, handle, end), end);
    }

    public override WatchChannel Watch(SafeHandle handle, IWatchSink sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return new EpollWatchChannel(this, handle, sink);
    }

    public override IoOperation WatchSignal(PosixSignal signal, ISignalSink sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _signals.Start(signal, sink);
    }

    public override ChildProcess Spawn(SpawnRequest request, IExitSink sink)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return EpollChildProcess.Start(this, _launcher, request, sink);
    }

    public override void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        foreach (var target in _set.Targets()) target.Abandon();
        _deferred.Clear();
        _signals.Dispose();
        Reserve.Dispose();
        _set.Dispose();
    }

    public ulong AddTarget(IEpollTarget target) => _set.Add(target);

    public void ReplaceTarget(ulong token, IEpollTarget target) => _set.Replace(token, target);

    public void RemoveTarget(ulong token) => _set.Remove(token);

    public IoError Control(EpollOperation operation, int fd, EpollInterest interest, ulong token) =>
        _set.Control(operation, fd, interest, token);

    /// <summary>Calls the target back from the next Poll, which will not wait: for what becomes known inside a call from above.</summary>
    public void Defer(IEpollTarget target, IoError error = default) => _deferred.Enqueue((target, error));

    /// <summary>Lets a listener rest; it is roused from Poll.</summary>
    public void Rest(EpollListenChannel listener) => _resting.Add(listener);

    /// <summary>Lets a datagram socket rest whose receiver has no room; it is roused from Poll.</summary>
    public void Rest(EpollDatagramChannel sender) => _restingSenders.Add(sender);

    private EpollDatagramChannel NewDatagramChannel(SafeFd fd, EndPoint? remote, UnixSocketFile? file, bool isShared, DatagramOptions options)
    {
        try
        {
            return new EpollDatagramChannel(this, fd, remote, file, isShared, options);
        }
        catch
        {
            file?.Remove();
            fd.Dispose();
            throw;
        }
    }

    private void Dispatch(int index)
    {
        if (_set.IsWake(index))
        {
            _names.Report();
            _signals.Report();
        }
        else if (_set.TargetAt(index, Wakeups) is { } target)
        {
            target.OnReady(_set.InterestAt(index));
        }
    }

    // A deferred report keeps Poll from waiting, and an epoll_wait that does not wait, one more for every closed connection, mostly finds nothing: so
    // the call is left out, but never twice in a row.
    private bool ReportInsteadOfLooking()
    {
        _hasOnlyReported = _deferred.Count > 0 && !_hasOnlyReported;
        if (_hasOnlyReported) ReportDeferred();
        return _hasOnlyReported;
    }

    // What is deferred during the round waits for the next one.
    private void ReportDeferred()
    {
        for (var left = _deferred.Count; left > 0 && _deferred.TryDequeue(out var report); left--) report.Target.OnDeferred(report.Error);
    }

    // In milliseconds, rounded up: a timer that is found too early costs another turn.
    private int WaitTime(TimeSpan timeout)
    {
        if (_deferred.Count > 0 || timeout == TimeSpan.Zero) return 0;
        var wait = timeout == Timeout.InfiniteTimeSpan ? TimeSpan.MaxValue : timeout;
        if (Earlier(Earlier(Lingering.FirstDue, _resting.FirstDue), _restingSenders.FirstDue) is { } due)
        {
            var untilDue = due - Clock.Now;
            if (untilDue < wait) wait = untilDue;
        }

        if (wait == TimeSpan.MaxValue) return -1;
        var ticks = Math.Max(wait.Ticks, 0);
        return (int)Math.Min(ticks / TimeSpan.TicksPerMillisecond + (ticks % TimeSpan.TicksPerMillisecond == 0 ? 0 : 1), int.MaxValue);
    }

    private static TimeSpan? Earlier(TimeSpan? a, TimeSpan? b) => a is null || b < a ? b : a;
}
