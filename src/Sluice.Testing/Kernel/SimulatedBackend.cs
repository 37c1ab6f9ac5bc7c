using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends;
using Sluice.Primitives;
using Sluice.Testing.Kernel.Datagrams;
using Sluice.Testing.Kernel.Links;
using Sluice.Testing.Kernel.Processes;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel;

/// <summary>
/// The simulated kernel of one host, behind the same seam as the real ones. Owned by the host's loop. It judges strictly: what a
/// transport does against the laws of the seam is thrown and remembered.
/// </summary>
/// <remarks>
/// Under a <see cref="Simulation"/> it is polled without waiting and the simulation moves the clock. Alone, as at the ordered end of a loop,
/// a Poll that waits moves the clock itself.
/// </remarks>
internal sealed class SimulatedBackend : IoBackend
{
    private readonly List<ISimulatedSource> _sources = [];
    private readonly List<(ulong Rank, ISimulatedSource Source)> _ready = [];
    private readonly LinkedList<SimulatedStreamChannel> _lingering = [];
    private int _woken;
    private long _cut;
    private bool _isPolling;
    private bool _isDisposed;

    /// <summary>One more loop's kernel on a machine.</summary>
    public SimulatedBackend(SimulatedMachine machine)
    {
        Machine = machine;
        MaxLingering = Math.Max(1, machine.Network.Options.DescriptorLimit / LingeringShare);
        Network = machine.Network;
        machine.Add(this);
    }

    /// <summary>The only one of a machine of its own.</summary>
    public SimulatedBackend(SimulatedNetwork network, string name, IPAddress address)
        : this(new SimulatedMachine(network, name, address))
    {
    }

    public SimulatedNetwork Network { get; }

    public SimulatedMachine Machine { get; }

    /// <summary>The child whose loop it carries, or null where that is one of the host's own.</summary>
    public SimulatedProcess? Process { get; set; }

    public HostFaults Faults => Machine.Faults;

    public PortTable Ports => Machine.Ports;

    public SimulatedFiles Files => Machine.Files;

    /// <summary>The machine has crashed under it: it never reports anything again.</summary>
    public bool IsAbandoned { get; private set; }

    /// <summary>Lent by the process to one host after another: a run of many seeds would make a large object for each.</summary>
    public byte[] ReadBuffer { get; } = ArrayPool<byte>.Shared.Rent(ReadBufferSize);

    /// <summary>What may have something to report: channels, listeners, operations.</summary>
    public IReadOnlyList<ISimulatedSource> Sources => _sources;

    public override uint? UserId => Machine.Credentials.UserId;

    public override IClock Clock => Network.Clock;

    public override int DescriptorLimit => Network.Options.DescriptorLimit;

    public override long CutConnections => _cut;

    public override bool SupportsReusePort => Network.Options.SupportsReusePort;

    /// <summary>A Poll now would report something or was asked to come back.</summary>
    public bool IsReady
    {
        get
        {
            if (Volatile.Read(ref _woken) != 0) return true;
            foreach (var source in _sources)
            {
                if (source.IsReady) return true;
            }

            return false;
        }
    }

    public override bool Poll(TimeSpan timeout)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_isPolling) Network.Violated("Poll was called from a sink");
        _isPolling = true;
        try
        {
            Wakeups++;
            var woken = TakeWake();
            if (ReportReady()) return true;
            if (woken || timeout == TimeSpan.Zero || Network.Chance(Network.Options.SpuriousWakeups)) return false;
            return Wait(timeout);
        }
        finally
        {
            _isPolling = false;
        }
    }

    public override void Wake()
    {
        Interlocked.Exchange(ref _woken, 1);
        Network.Woken.Set();
    }

    public override IoOperation Connect(EndPoint? local, EndPoint remote, StreamOptions options, IConnectSink sink) =>
        new SimulatedConnect(this, local, Canonical(remote), options, sink);

    public override IoOperation Resolve(string host, AddressFamily family, ILookupSink<IReadOnlyList<IPAddress>> sink) =>
        new SimulatedLookup<IReadOnlyList<IPAddress>>(this, $"the addresses of {host}", () => Network.Names.Find(host, family), sink);

    public override IoOperation Reverse(IPAddress address, ILookupSink<string> sink) =>
        new SimulatedLookup<string>(this, $"the name of {address}", () => Network.Names.Find(address), sink);

    public override ListenChannel Listen(EndPoint local, ServerOptions options, IListenSink sink)
    {
        VerifyAlive();
        var channel = new SimulatedListenChannel(this, new SimulatedListener(this, Canonical(local), options.ReusePort), options.CleanupSocket, options, sink);
        channel.SetOptions();
        return channel;
    }

    public override ListenChannel AdoptListener(SafeHandle socket, ListenerOwnership ownership, ServerOptions options, IListenSink sink)
    {
        VerifyAlive();
        if (socket is not SimulatedListenerHandle handle)
        {
            if (ownership != ListenerOwnership.Borrowed) socket.Dispose();
            throw IoError.NotASocket.ToException();
        }

        var listener = handle.Listener;
        if (ownership == ListenerOwnership.Borrowed && !listener.IsListening) throw IoError.InvalidArgument.ToException("serve a socket");
        listener.Hold();
        if (ownership != ListenerOwnership.Borrowed) handle.Dispose();
        var removesFile = ownership == ListenerOwnership.OwnedWithFile && options.CleanupSocket;
        return new SimulatedListenChannel(this, listener, removesFile, options, sink) { IsBorrowed = ownership == ListenerOwnership.Borrowed };
    }

    public override StreamChannel Adopt(SafeHandle socket, StreamOptions options)
    {
        using (socket)
        {
            if (socket is not SimulatedSocketHandle { End: null } handle || handle.Take() is not { } taken) throw IoError.NotASocket.ToException();
            taken.ReceiveLowWater = 1;
            return new SimulatedStreamChannel(this, taken, options);
        }
    }

    // A kernel knows names by their bytes: one that can be said as text and as bytes is one name.
    private static EndPoint Canonical(EndPoint address) => address is RawUnixEndPoint raw ? RawUnixEndPoint.Of(raw.Name.Span) : address;

    public override DatagramChannel OpenDatagram(AddressFamily family, EndPoint? local, EndPoint? remote, DatagramOptions options)
    {
        VerifyAlive();
        if (options.ReusePort && !SupportsReusePort) throw IoError.InvalidArgument.ToException("share a port");
        var socket = CreateDatagramSocket(family, options.ReusePort);
        try
        {
            if (options.AllowBroadcast) socket.View.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Broadcast, 1);
            if (local is not null) socket.Bind(Canonical(local));
            if (remote is not null) socket.Connect(Canonical(remote));
            return new SimulatedDatagramChannel(this, socket, options, removesFile: true);
        }
        catch
        {
            socket.RemoveFile();
            socket.Release();
            throw;
        }
    }

    public override DatagramChannel AdoptDatagram(SafeHandle socket, DatagramOptions options)
    {
        using (socket)
        {
            VerifyAlive();
            if (socket is not SimulatedDatagramHandle handle || handle.Take() is not { } taken) throw IoError.NotASocket.ToException();
            return new SimulatedDatagramChannel(this, taken, options, removesFile: false);
        }
    }

    /// <summary>At once: a disk takes no simulated time, and no other thread may decide what comes first.</summary>
    public override ValueTask<int> ReadFileAsync(SafeFileHandle file, Memory<byte> target, long offset, CancellationToken cancellation) =>
        new(RandomAccess.Read(file, target.Span, offset));

    public override bool CanBePipe(SafeHandle handle, PipeEnd end)
    {
        ObjectDisposedException.ThrowIf(handle.IsClosed, handle);
        return handle is SimulatedSocketHandle { HoldsSocket: true, IsInUse: false } pipe && (pipe.End ?? end) == end;
    }

    public override StreamChannel OpenPipe(SafeHandle handle, PipeEnd end)
    {
        VerifyAlive();
        if (!CanBePipe(handle, end)) throw new ArgumentException("It can be no such end of a pipe.", nameof(handle));
        return new SimulatedPipeChannel(this, (SimulatedSocketHandle)handle, end);
    }

    public override WatchChannel Watch(SafeHandle handle, IWatchSink sink) =>
        throw new NotSupportedException("A simulated kernel has no descriptors that could be watched.");

    public override IoOperation WatchSignal(PosixSignal signal, ISignalSink sink) => new SimulatedSignalWatch(this, SignalNumber.Of(signal), sink);

    public override ChildProcess Spawn(SpawnRequest request, IExitSink sink)
    {
        VerifyAlive();
        return Machine.Processes.Spawn(this, request, sink);
    }

    /// <returns>False where nobody watches the signal.</returns>
    public bool SendSignal(int number)
    {
        var watches = _sources.OfType<SimulatedSignalWatch>().Where(watch => watch.Number == number).ToArray();
        foreach (var watch in watches) watch.Send();
        return watches.Length > 0;
    }

    /// <summary>Two connected sockets without a program: for what takes over existing ones.</summary>
    public (SimulatedSocketHandle First, SimulatedSocketHandle Second) CreateStreamPair(bool isUnix = true)
    {
        var (client, server) = Network.Connect(isUnix, NewStation(), NewStation(), Network.NewDice());
        if (!isUnix) return (new SimulatedSocketHandle(client), new SimulatedSocketHandle(server));
        (client.PeerCredentials, server.PeerCredentials) = (Machine.Credentials, Machine.Credentials);
        return (new SimulatedSocketHandle(client), new SimulatedSocketHandle(server));

        Station NewStation() => new(Machine, isUnix ? null : new IPEndPoint(IPAddress.Loopback, Ports.NextEphemeral()));
    }

    /// <summary>A datagram socket without a program.</summary>
    public SimulatedDatagramSocket CreateDatagramSocket(AddressFamily family, bool isShared = false) => new(Machine, family, isShared);

    /// <summary>The two ends of a pipe without a program.</summary>
    public (SimulatedSocketHandle Reader, SimulatedSocketHandle Writer) CreatePipe()
    {
        var (writer, reader) = Network.Connect(
            isUnix: true, new Station(Machine, null), new Station(Machine, null), Network.NewDice(), Network.Options.PipeSize);
        return (new SimulatedSocketHandle(reader, PipeEnd.Read), new SimulatedSocketHandle(writer, PipeEnd.Write));
    }

    /// <summary>A bound socket without a program.</summary>
    public SimulatedListenerHandle CreateBoundSocket(EndPoint address, int? backlog)
    {
        var listener = new SimulatedListener(this, address);
        if (backlog is { } size) listener.Listen(size);
        return new SimulatedListenerHandle(listener, Network.NextDescriptor());
    }

    public override void Dispose()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        foreach (var child in _sources.OfType<SimulatedChild>().ToArray()) child.Kill();
        LetGo();
        _sources.Clear();
        ArrayPool<byte>.Shared.Return(ReadBuffer);
    }

    /// <summary>Its process has ended: the kernel closes what it had open. Children live on.</summary>
    public void EndWithProcess()
    {
        LetGo();
        Abandon();
        Machine.Remove(this);
    }

    /// <summary>Forgets all that it waits for: its machine has crashed.</summary>
    public void Abandon()
    {
        IsAbandoned = true;
        _sources.Clear();
    }

    public void Add(ISimulatedSource source)
    {
        if (!IsAbandoned) _sources.Add(source);
    }

    /// <summary>A closed connection lingers from now on: the oldest may have to go for it.</summary>
    public void AddLingering(SimulatedStreamChannel channel)
    {
        while (_lingering.Count >= MaxLingering) CutOldest();
        _lingering.AddLast(channel);
    }

    public void RemoveLingering(SimulatedStreamChannel channel) => _lingering.Remove(channel);

    /// <returns>False where none lingers.</returns>
    public bool CutOldest()
    {
        if (_lingering.First is not { } oldest) return false;
        _cut++;
        oldest.Value.EndLingering();
        return true;
    }

    public void Remove(ISimulatedSource source) => _sources.Remove(source);

    public IEnumerable<SimulatedSocket> HeldSockets() => _sources.OfType<SimulatedStreamChannel>().Select(static channel => channel.Kernel).ToArray();

    private void LetGo()
    {
        foreach (var source in _sources.ToArray())
        {
            if (source is SimulatedStreamChannel channel) channel.LetGo();
            if (source is SimulatedDatagramChannel datagrams) datagrams.LetGo();
            if (source is SimulatedPipeChannel pipe) pipe.LetGo();
            if (source is SimulatedListenChannel listener) listener.Close();
        }
    }

    private bool Wait(TimeSpan timeout)
    {
        TimeSpan? end = timeout < TimeSpan.Zero ? null : Clock.Now + timeout;
        while (true)
        {
            var next = Network.NextEvent;
            if (next is null && end is null)
            {
                throw new SimulationStalledException($"Poll would wait for ever.{Environment.NewLine}{Network.DescribeWaits()}");
            }

            if (next is null || next > end)
            {
                Network.JumpTo(end!.Value);
                return false;
            }

            Network.JumpTo(next.Value);
            if (ReportReady()) return true;
            if (TakeWake()) return false;
        }
    }

    private bool ReportReady()
    {
        Network.RunDueEvents();
        _ready.Clear();
        foreach (var source in _sources)
        {
            if (source.IsReady) InsertReady(Network.RankOf(source), source);
        }

        var reported = false;
        foreach (var (_, source) in _ready)
        {
            // An event reported before may have settled this one: a channel closed, an operation cancelled.
            if (source.IsReady) reported |= source.Report();
            if (_isDisposed) break;
        }

        return reported;
    }

    /// <summary>Few are ready at once: each is put in its place.</summary>
    private void InsertReady(ulong rank, ISimulatedSource source)
    {
        var at = _ready.Count;
        while (at > 0 && _ready[at - 1].Rank > rank) at--;
        _ready.Insert(at, (rank, source));
    }

    private void VerifyAlive()
    {
        if (IsAbandoned) throw IoError.NetworkDown.ToException($"{Machine.Name} has crashed");
    }

    private bool TakeWake() => Interlocked.Exchange(ref _woken, 0) != 0;
}
