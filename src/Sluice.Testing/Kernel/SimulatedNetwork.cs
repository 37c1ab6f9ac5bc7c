using System.Net;

namespace Sluice.Testing.Kernel;

/// <summary>
/// The kernels and cables of a simulation: the clock, the seed's dice, events to come, hosts and their names. Owned by the simulation. It
/// calls no sink: what an event changes is reported by a backend's Poll.
/// </summary>
internal sealed class SimulatedNetwork(int seed, SimulationOptions options) : IDisposable
{
    private const int FirstDescriptor = 1 << 24;

    private readonly Random _random = new(seed);
    private readonly PriorityQueue<Action, (long Due, long Age)> _events = new();
    private readonly List<SimulatedBackend> _hosts = [];
    private readonly List<SimulatedSocket> _sockets = [];
    private readonly HashSet<IPAddress> _silent = [];
    private readonly HashSet<IPAddress> _unreachable = [];
    private long _age;
    private int _descriptors = FirstDescriptor;

    public SimulationOptions Options => options;

    public VirtualClock Clock { get; } = new();

    /// <summary>What a transport did against the laws of the seam, in plain words. Empty unless the library has a defect.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Connections' ends that are not closed yet: the descriptors in use.</summary>
    public IReadOnlyList<SimulatedSocket> OpenSockets => _sockets;

    public IReadOnlyList<SimulatedBackend> Hosts => _hosts;

    /// <summary>When the next event is due, or null where none will ever come by itself.</summary>
    public TimeSpan? NextEvent => _events.TryPeek(out _, out var first) ? new TimeSpan(first.Due) : null;

    /// <summary>Set by every wake-up: what the simulation waits on when only another thread could still go on.</summary>
    public ManualResetEventSlim Woken { get; } = new();

    /// <summary>What hosts ask about names.</summary>
    public NameTable Names => field ??= new NameTable(this);

    public int NextDescriptor() => _descriptors++;

    public void Add(SimulatedBackend host) => _hosts.Add(host);

    public void Schedule(TimeSpan due, Action change) => _events.Enqueue(change, (due.Ticks, _age++));

    /// <summary>Lets happen what is due by now.</summary>
    public void RunDueEvents()
    {
        while (_events.TryPeek(out var change, out var first) && first.Due <= Clock.Now.Ticks)
        {
            _events.Dequeue();
            change();
        }
    }

    public (SimulatedSocket Client, SimulatedSocket Server) Connect(bool isUnix, EndPoint? clientName, EndPoint? serverName)
    {
        var pair = SimulatedSocket.Connect(this, isUnix, clientName, serverName);
        _sockets.Add(pair.Client);
        _sockets.Add(pair.Server);
        return pair;
    }

    public void Forget(SimulatedSocket socket) => _sockets.Remove(socket);

    /// <summary>When a packet that leaves now is there.</summary>
    public TimeSpan ArrivalTime(bool isUnix) =>
        isUnix ? Clock.Now : Clock.Now + options.Latency + Part(options.LatencyJitter);

    public bool Chance(double probability) => probability > 0 && _random.NextDouble() < probability;

    /// <summary>From 1 to <paramref name="most"/>, small numbers as likely as large ones.</summary>
    public int SomeOf(int most) => _random.Next(2) == 0 ? _random.Next(1, Math.Min(most, 8) + 1) : _random.Next(1, most + 1);

    /// <summary>From 0 to below <paramref name="count"/>.</summary>
    public int OneOf(int count) => _random.Next(count);

    public TimeSpan Part(TimeSpan whole) => whole <= TimeSpan.Zero ? TimeSpan.Zero : new TimeSpan(_random.NextInt64(whole.Ticks + 1));

    public void Shuffle<T>(Span<T> items)
    {
        if (options.ShufflesEvents && items.Length > 1) _random.Shuffle(items);
    }

    /// <summary>The host that an address means to <paramref name="from"/>, or null where no way leads to one.</summary>
    public SimulatedBackend? Find(SimulatedBackend from, IPAddress address) =>
        _unreachable.Contains(address) ? null
        : IPAddress.IsLoopback(address) ? from
        : _hosts.Find(host => host.HasAddress(address));

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

    /// <summary>The strictest judge: remembers what the library did wrong, and throws it.</summary>
    public void Violated(string law)
    {
        Violations.Add(law);
        throw new InvalidOperationException($"The seam's law is broken: {law}");
    }

    public void Dispose() => Woken.Dispose();

    /// <summary>What every host waits for, a line each.</summary>
    public string DescribeWaits() => string.Join(Environment.NewLine, _hosts.Select(host => host.DescribeWaits()));
}
