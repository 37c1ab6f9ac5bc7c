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

/// <summary>The kernel as seen through epoll: one set of descriptors per loop. Created, polled and disposed by its loop.</summary>
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
/// <para><i>The set holds open files, not numbers.</i> A close removes the file by itself, but only if no duplicate is left. So descriptors
/// that others may hold leave the set before they are closed, and the rest save the call: see <see cref="GhostEvents"/>. An event that
/// was already fetched is stale by its token: see <see cref="SlotTable"/>.</para>
/// </remarks>
internal sealed class EpollBackend : IoBackend
{
    private const int MaxEventsPerPoll = 512;

    /// <summary>No slot has it: slots count from zero.</summary>
    private const ulong WakeToken = ulong.MaxValue;

    private SafeFd _epoll;
    private readonly WakeEvent _wake;
    private readonly EpollEvents _events = new(MaxEventsPerPoll);
    private readonly byte[] _readBuffer = GC.AllocateUninitializedArray<byte>(ReadBufferSize, pinned: true);
    private readonly SlotTable _slots = new();
    private readonly Queue<(IEpollTarget Target, IoError Error)> _deferred = new();
    private readonly RestingListeners _resting;
    private readonly RestingSenders _restingSenders;
    private readonly NameResolution _names;
    private readonly SignalWatches _signals;
    private readonly PosixLauncher _launcher;
    private readonly GhostEvents _ghosts;
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
        Lingering = new LingeringQueue(Clock);
        Sender = new GatheringSender<SocketSending>(System);
        LocalNames = new LocalNames(System);
        BorrowedModes = new BorrowedModes(System);
        _ghosts = new GhostEvents(Clock);
        _resting = new RestingListeners(Clock);
        _restingSenders = new RestingSenders(Clock);
        _names = new NameResolution(this);
        _signals = new SignalWatches(this);
        _launcher = new PosixLauncher(System);
        _epoll = Own(System.EpollCreate(out var error), error);
        try
        {
            _wake = new WakeEvent(System, Own(System.EventDescriptor(out error), error));
            Check(Control(EpollOperation.Add, _wake.Number, EpollInterest.Readable | EpollInterest.EdgeTriggered, WakeToken));
        }
        catch
        {
            _wake?.Close();
            _epoll.Dispose();
            throw;
        }

        Reserve = new ReserveDescriptor(System);
    }

    public override IClock Clock { get; }

    public override int DescriptorLimit => System.DescriptorLimit();

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
        var count = System.EpollWait(_epoll.Number, _events, WaitTime(timeout), out var error);
        if (error != IoError.Interrupted && !error.IsNone) Defect.Crash(error, "epoll_wait");
        var reported = count > 0 || _deferred.Count > 0;
        if (_deferred.Count > 0) ReportDeferred();
        for (var i = 0; i < count && !_isDisposed; i++) Dispatch(_events.TokenAt(i), _events.InterestAt(i));
        if (_isDisposed) return reported;
        if (_ghosts.IsDue) RenewSet();
        Lingering.LetDueGo();
        _resting.RouseDue();
        _restingSenders.RouseDue();
        return reported;
    }

    public override void Wake() => _wake.Signal();

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

            return EpollStreamChannel.OfConnected(this, fd, family, SocketPast.TakenOver);
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
        foreach (var target in _slots.Targets()) target.Abandon();
        _deferred.Clear();
        _signals.Dispose();
        _wake.Close();
        Reserve.Dispose();
        _epoll.Dispose();
    }

    public ulong AddTarget(IEpollTarget target) => _slots.Add(target);

    public void ReplaceTarget(ulong token, IEpollTarget target) => _slots.Replace(token, target);

    public void RemoveTarget(ulong token) => _slots.Remove(token);

    public IoError Control(EpollOperation operation, int fd, EpollInterest interest, ulong token) =>
        System.EpollControl(_epoll.Number, operation, fd, interest, token);

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

    private void Dispatch(ulong token, EpollInterest events)
    {
        if (token == WakeToken)
        {
            _wake.OnSeen();
            _names.Report();
            _signals.Report();
        }
        else if (_slots.Find(token) is { } target)
        {
            target.OnReady(events);
        }
        else
        {
            _ghosts.OnStale(token, Wakeups);
        }
    }

    // What is deferred keeps Poll from waiting, and to look without waiting, once more for every closed connection, mostly finds nothing: so
    // the call is left out, every second time at most.
    private bool ReportInsteadOfLooking()
    {
        _hasOnlyReported = _deferred.Count > 0 && !_hasOnlyReported;
        if (_hasOnlyReported) ReportDeferred();
        return _hasOnlyReported;
    }

    // All or nothing: where the system has no room for a second set, the first one goes on until the ghosts are due again.
    private void RenewSet()
    {
        _ghosts.Reset();
        var number = System.EpollCreate(out var error);
        if (!error.IsNone) return;
        var fresh = new SafeFd(System, number);
        error = System.EpollControl(number, EpollOperation.Add, _wake.Number, EpollInterest.Readable | EpollInterest.EdgeTriggered, WakeToken);
        foreach (var target in _slots.Targets())
        {
            if (error.IsNone) error = target.Join(number);
        }

        var unused = error.IsNone ? _epoll : fresh;
        if (error.IsNone) _epoll = fresh;
        unused.Dispose();
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

    private SafeFd Own(int fd, IoError error)
    {
        Check(error);
        return new SafeFd(System, fd);
    }

    private static void Check(IoError error)
    {
        if (!error.IsNone) throw error.ToException("set up epoll");
    }
}
