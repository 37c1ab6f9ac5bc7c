namespace Sluice.Testing;

/// <summary>
/// What the simulated kernel may do to a program: all of it legal, all of it decided by the seed. The defaults are moderate;
/// <see cref="Faithful"/> turns every surprise off.
/// </summary>
public sealed record SimulationOptions
{
    /// <summary>A kernel without surprises: everything that fits is taken and given at once, over a link of constant latency.</summary>
    public static SimulationOptions Faithful { get; } = new()
    {
        LatencyJitter = TimeSpan.Zero,
        ShortReads = 0,
        PartialWrites = 0,
        RefusedWrites = 0,
        SlowWrites = 0,
        LateReads = 0,
        SpuriousWakeups = 0,
        ShufflesEvents = false,
    };

    /// <summary>The bytes that a sender's kernel holds for a receiver that has no room. Default: 64 KiB.</summary>
    public int SendBufferSize { get; init; } = 64 * 1024;

    /// <summary>The bytes that a receiver's kernel holds until they are read. Default: 64 KiB.</summary>
    public int ReceiveBufferSize { get; init; } = 64 * 1024;

    /// <summary>How long a packet travels at least. Unix sockets have none. Default: 100 µs.</summary>
    public TimeSpan Latency { get; init; } = TimeSpan.FromMicroseconds(100);

    /// <summary>How much longer a packet may travel; packets of one connection do not overtake each other. Default: 400 µs.</summary>
    public TimeSpan LatencyJitter { get; init; } = TimeSpan.FromMicroseconds(400);

    /// <summary>How likely a read gives fewer bytes than there are, down to one: from 0 to 1.</summary>
    public double ShortReads { get; init; } = 0.25;

    /// <summary>How likely a write takes fewer bytes than there is room for: from 0 to 1.</summary>
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

    /// <summary>How many passes of the loops one run may take before it is given up as a livelock. Default: one million.</summary>
    public long StepLimit { get; init; } = 1_000_000;
}
