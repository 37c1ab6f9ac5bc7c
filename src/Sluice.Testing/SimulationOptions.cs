using System.Runtime.CompilerServices;

namespace Sluice.Testing;

/// <summary>
/// What the simulated kernel may do to a program: all of it legal, all of it decided by the seed. The defaults are moderate;
/// <see cref="Faithful"/> turns every surprise off.
/// </summary>
public sealed record SimulationOptions
{
    /// <summary>A kernel without surprises: everything that fits is taken and given at once, over a link of constant latency.</summary>
    public static SimulationOptions Faithful { get; } = new SimulationOptions().WithoutSurprises();

    /// <summary>A network in one building: a gigabit, hardly any delay, no loss. The kernels' surprises are the default ones.</summary>
    public static SimulationOptions Lan { get; } = new()
    {
        Latency = TimeSpan.FromMicroseconds(100),
        LatencyJitter = TimeSpan.FromMicroseconds(100),
        Bandwidth = 125_000_000,
    };

    /// <summary>A way across a continent: 20 megabits, a round trip of 60 to 100 ms, one packet of 1,000 lost.</summary>
    public static SimulationOptions Internet { get; } = new()
    {
        Latency = TimeSpan.FromMilliseconds(30),
        LatencyJitter = TimeSpan.FromMilliseconds(20),
        Bandwidth = 2_500_000,
        PacketLoss = 0.001,
        DatagramLoss = 0.001,
        DatagramDuplication = 0.0001,
        DatagramReordering = 0.001,
        SendBufferSize = 256 * 1024,
        ReceiveBufferSize = 256 * 1024,
    };

    /// <summary>The worst that is still a network: slow, unsteady, one packet of 20 lost, tiny buffers, and kernels that surprise at every second step.</summary>
    public static SimulationOptions Hostile { get; } = new()
    {
        Latency = TimeSpan.FromMilliseconds(20),
        LatencyJitter = TimeSpan.FromMilliseconds(400),
        Bandwidth = 64_000,
        PacketLoss = 0.05,
        DatagramLoss = 0.05,
        DatagramDuplication = 0.02,
        DatagramReordering = 0.1,
        SendBufferSize = 2 * 1024,
        ReceiveBufferSize = 2 * 1024,
        PipeSize = 4 * 1024,
        ShortReads = 0.5,
        PartialWrites = 0.5,
        RefusedWrites = 0.3,
        SlowWrites = 0.5,
        LateReads = 0.5,
        SpuriousWakeups = 0.2,
    };

    /// <summary>The bytes that a sender's kernel holds for a receiver that has no room; of datagrams, those that have not left. Default: 64 KiB.</summary>
    public int SendBufferSize { get; init; } = 64 * 1024;

    /// <summary>
    /// The bytes that a receiver's kernel holds until they are read; datagrams count 128 more each, and those that find it full are dropped. Default: 64 KiB.
    /// </summary>
    public int ReceiveBufferSize { get; init; } = 64 * 1024;

    /// <summary>The bytes that a pipe holds until they are read. Default: 64 KiB.</summary>
    public int PipeSize { get; init; } = 64 * 1024;

    /// <summary>How long a packet travels at least. Unix sockets have none. Default: 100 µs.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMicroseconds(100);

    /// <summary>How much longer a packet may travel; packets of one connection do not overtake each other. Default: 400 µs.</summary>
    public TimeSpan LatencyJitter { get; init; } = TimeSpan.FromMicroseconds(400);

    /// <summary>Bytes per second between two hosts in each direction, shared by all connections; null, the default, is no limit.</summary>
    public long? Bandwidth { get; init; }

    /// <summary>How likely a packet of a TCP connection is lost, and sent again later: from 0, the default, to 1.</summary>
    public double PacketLoss { get; init; }

    /// <summary>How likely a datagram over UDP, or the answer that nobody listens, is lost for good: from 0, the default, to 1.</summary>
    public double DatagramLoss { get; init; }

    /// <summary>How likely a datagram over UDP arrives twice: from 0, the default, to 1.</summary>
    public double DatagramDuplication { get; init; }

    /// <summary>
    /// How likely a datagram over UDP is held back on its way, so that later ones overtake it: from 0, the default, to 1. The others that one endpoint sends to one
    /// host arrive in their order.
    /// </summary>
    public double DatagramReordering { get; init; }

    /// <summary>
    /// How long a connection goes on sending again what is lost before it fails with ETIMEDOUT; after 15 tries in vain it fails anyway. Linux itself
    /// goes on for about 15 minutes. Default: 60 s of virtual time.
    /// </summary>
    public TimeSpan RetransmissionTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How likely a read gives fewer bytes than there are, down to one, or fewer datagrams: from 0 to 1.</summary>
    public double ShortReads { get; init; } = 0.25;

    /// <summary>How likely a write takes fewer bytes, or datagrams, than there is room for: from 0 to 1.</summary>
    public double PartialWrites { get; init; } = 0.2;

    /// <summary>How likely a write is refused although there is room: from 0 to 1.</summary>
    public double RefusedWrites { get; init; } = 0.1;

    /// <summary>How likely a write that waits is told of the room late: from 0 to 1.</summary>
    public double SlowWrites { get; init; } = 0.3;

    /// <summary>How likely reads, one to three, are under way when reading is stopped, and complete all the same: from 0 to 1.</summary>
    public double LateReads { get; init; } = 0.3;

    /// <summary>How likely a wait ends with nothing to report, and a receive buffer is asked for in vain: from 0 to 1.</summary>
    public double SpuriousWakeups { get; init; } = 0.05;

    /// <summary>Reports the events of one poll in an order that the seed decides, instead of by age. Default: true.</summary>
    public bool ShufflesEvents { get; init; } = true;

    /// <summary>
    /// How many descriptors a process may have: what a server's default limit of connections is made of. The simulated kernel itself never runs out of them, except as
    /// <see cref="HostFaults.FailNextAccept"/> says. Default: 65,536.
    /// </summary>
    public int DescriptorLimit { get; init; } = 65_536;

    /// <summary>Whether several listeners can share a port (SO_REUSEPORT). Default: true.</summary>
    public bool SupportsReusePort { get; init; } = true;

    /// <summary>How many events <see cref="Simulation.Trace"/> remembers. Default: 1,000.</summary>
    public int TraceLength { get; init; } = 1_000;

    /// <summary>Names of rules (<see cref="Simulation.AddRule"/>) that are never asked: how a run is repeated without them. Default: none.</summary>
    public IReadOnlyCollection<string> IgnoredRules { get; init; } = [];

    /// <summary>How many passes of the loops one run may take before it is given up as a livelock. Default: one million.</summary>
    public long StepLimit { get; init; } = 1_000_000;

    /// <summary>The same network with nothing left to chance: no jitter, no loss, a kernel that takes and gives all that it can.</summary>
    internal SimulationOptions WithoutSurprises() => this with
    {
        LatencyJitter = TimeSpan.Zero,
        PacketLoss = 0,
        DatagramLoss = 0,
        DatagramDuplication = 0,
        DatagramReordering = 0,
        ShortReads = 0,
        PartialWrites = 0,
        RefusedWrites = 0,
        SlowWrites = 0,
        LateReads = 0,
        SpuriousWakeups = 0,
        ShufflesEvents = false,
    };

    /// <summary>Whether the two are the same object. What two options say is not compared: some of it, such as a callback, cannot be.</summary>
    /// <param name="other">The other.</param>
    public bool Equals(SimulationOptions? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
