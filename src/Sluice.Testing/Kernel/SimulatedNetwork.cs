using System.Net;
using Sluice.Testing.Kernel.Datagrams;
using Sluice.Testing.Kernel.Links;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel;

/// <summary>
/// The kernels and cables of a simulation: the clock, the seed's dice, events to come, hosts and their names. Owned by the simulation. It
/// calls no sink: what an event changes is reported by a backend's Poll.
/// </summary>
internal sealed class SimulatedNetwork(int seed, SimulationOptions options) : IDisposable
{
    private const int FirstDescriptor = 1 << 24;

    private readonly KernelDice _dice = KernelDice.Fork(seed, 0);
    private readonly PriorityQueue<Action, EventTime> _events = new();
    private readonly Stack<int> _freeDescriptors = new();
    private readonly List<SimulatedMachine> _machines = [];
    private readonly Dictionary<(int, int), SimulatedLink> _links = [];
    private readonly List<SimulatedSocket> _sockets = [];
    private readonly List<SimulatedDatagramSocket> _datagrams = [];
    private readonly HashSet<IPAddress> _silent = [];
    private readonly HashSet<IPAddress> _unreachable = [];
    private long _age;
    private int _forks;
    private int _socketsMade;
    private int _descriptors = FirstDescriptor;

    public SimulationOptions Options => options;

    public VirtualClock Clock { get; } = new();

    /// <summary>Links keep what was sent over them, so that a stage can compare. A sweep compares as it goes.</summary>
    public bool KeepsLogs { get; init; } = true;

    /// <summary>How many events have happened: packets that arrived, waits that ended.</summary>
    public long EventsRun { get; private set; }

    /// <summary>What a transport did against the laws of the seam, in plain words. Empty unless the library has a defect.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Connections' ends that are not closed yet: the descriptors in use.</summary>
    public IReadOnlyList<SimulatedSocket> OpenSockets => _sockets;

    /// <summary>Datagram sockets that are not closed yet.</summary>
    public IReadOnlyList<SimulatedDatagramSocket> OpenDatagrams => _datagrams;

    public IReadOnlyList<SimulatedMachine> Machines => _machines;

    public RuleSet Rules { get; } = new(options);

    public EventTrace Trace => field ??= new EventTrace(Clock, options.TraceLength);

    /// <summary>When the next event is due, or null where none will ever come by itself.</summary>
    public TimeSpan? NextEvent => _events.TryPeek(out _, out var first) ? new TimeSpan(first.Due) : null;

    /// <summary>Set by every wake-up: what the simulation waits on when only another thread could still go on.</summary>
    public ManualResetEventSlim Woken { get; } = new();

    /// <summary>What carries datagrams.</summary>
    public DatagramCarrier Carrier => field ??= new DatagramCarrier(this);

    /// <summary>What hosts ask about names.</summary>
    public NameTable Names => field ??= new NameTable(this);

    /// <summary>A number that is not in use: as on a real kernel, the next one may be that of what was closed last.</summary>
    public int NextDescriptor() => _freeDescriptors.TryPop(out var free) ? free : _descriptors++;

    /// <summary>The sockets that were ever made are counted: numbers come back, this one does not.</summary>
    public int NextSocketId() => ++_socketsMade;

    /// <summary>Dice for something new, independent of all others of this seed.</summary>
    public KernelDice NewDice() => KernelDice.Fork(seed, ++_forks);

    public void Add(SimulatedMachine machine) => _machines.Add(machine);

    public void Schedule(TimeSpan due, Action change) => _events.Enqueue(change, new EventTime(due.Ticks, _age++));

    /// <summary>Lets happen what is due by now.</summary>
    public void RunDueEvents()
    {
        while (_events.TryPeek(out var change, out var first) && first.Due <= Clock.Now.Ticks)
        {
            _events.Dequeue();
            EventsRun++;
            change();
        }
    }

    public (SimulatedSocket Client, SimulatedSocket Server) Connect(bool isUnix, Station client, Station server, KernelDice dice, int? capacity = null)
    {
        var pair = SimulatedSocket.Connect(this, isUnix, client, server, dice, capacity);
        _sockets.Add(pair.Client);
        _sockets.Add(pair.Server);
        return pair;
    }

    public void Add(SimulatedDatagramSocket socket) => _datagrams.Add(socket);

    public void Forget(SimulatedDatagramSocket socket)
    {
        _datagrams.Remove(socket);
        _freeDescriptors.Push(socket.Number);
    }

    public void Forget(SimulatedSocket socket)
    {
        _sockets.Remove(socket);
        _freeDescriptors.Push(socket.Number);
    }

    /// <summary>The way between two machines.</summary>
    public SimulatedLink LinkBetween(SimulatedMachine one, SimulatedMachine other)
    {
        var key = one.Number < other.Number ? (one.Number, other.Number) : (other.Number, one.Number);
        if (!_links.TryGetValue(key, out var link)) _links.Add(key, link = new SimulatedLink(one));
        return link;
    }

    /// <summary>What becomes of a packet that is about to leave over TCP.</summary>
    public Verdict Judge(SimulatedLink way, Station from, Station to, PacketKind kind, int size, KernelDice dice, int id)
    {
        var verdict = dice.Chance(way.PacketLoss) ? Verdict.Drop : AskRules(from, to, kind, size);
        Trace.Add(KernelEvent.Packet, id, size, from.Name, kind, verdict);
        return verdict;
    }

    /// <summary>What becomes of a datagram that is about to leave, or of an answer to one.</summary>
    public Verdict JudgeDatagram(SimulatedLink way, Station from, Station to, int size, KernelDice dice, int id, PacketKind kind = PacketKind.Datagram)
    {
        var verdict = dice.Chance(way.DatagramLoss) ? Verdict.Drop : AskRules(from, to, kind, size);
        Trace.Add(KernelEvent.Packet, id, size, from.Name, kind, verdict);
        return verdict;
    }

    /// <summary>Moves the clock to what happens next.</summary>
    public void JumpTo(TimeSpan time)
    {
        Clock.JumpTo(time);
        Trace.Add(KernelEvent.ClockJump, 0);
    }

    /// <summary>When a packet that leaves now is there, on a way that no link describes.</summary>
    public TimeSpan ArrivalTime(bool isUnix, KernelDice? dice = null) =>
        isUnix ? Clock.Now : Clock.Now + options.Latency + (dice ?? _dice).Part(options.LatencyJitter);

    public bool Chance(double probability) => _dice.Chance(probability);

    /// <summary>From 0 to below <paramref name="count"/>.</summary>
    public int OneOf(int count) => _dice.Below(count);

    /// <summary>Where a source that is ready stands in the order of a poll: the lower first.</summary>
    public ulong RankOf(ISimulatedSource source) => options.ShufflesEvents ? (source.Dice ?? _dice).Next() : 0;

    /// <summary>The host that an address means to <paramref name="from"/>, or null where no way leads to one.</summary>
    public SimulatedMachine? Find(SimulatedMachine from, IPAddress address) =>
        _unreachable.Contains(address) ? null
        : IPAddress.IsLoopback(address) ? from
        : _machines.Find(host => host.HasAddress(address));

    /// <summary>What is sent to the address is lost without a word.</summary>
    public bool Drops(IPAddress address) => _silent.Contains(address);

    /// <summary>What happens from now on to connects to an address.</summary>
    public void SetReach(IPAddress address, bool isSilent, bool isUnreachable)
    {
        _silent.Remove(address);
        _unreachable.Remove(address);
        if (isSilent) _silent.Add(address);
        if (isUnreachable) _unreachable.Add(address);
    }

    /// <summary>Remembers a law of the seam that the library broke, and throws it.</summary>
    public void Violated(string law)
    {
        Violations.Add(law);
        throw new InvalidOperationException($"The seam's law is broken: {law}");
    }

    public void Dispose() => Woken.Dispose();

    /// <summary>What every host waits for, a line each.</summary>
    public string DescribeWaits() => string.Join(Environment.NewLine, _machines.Select(static machine => machine.DescribeWaits()));

    private Verdict AskRules(Station from, Station to, PacketKind kind, int size) =>
        Rules.IsEmpty ? Verdict.Pass : Rules.Judge(new PacketInfo(from.Machine.Host!, to.Machine.Host!, from.Name!, to.Name!, kind, size, Clock.Now));

    /// <summary>When an event happens; of two at the same time the older one goes first.</summary>
    private readonly record struct EventTime(long Due, long Age) : IComparable<EventTime>
    {
        public int CompareTo(EventTime other) => Due != other.Due ? Due.CompareTo(other.Due) : Age.CompareTo(other.Age);
    }
}
