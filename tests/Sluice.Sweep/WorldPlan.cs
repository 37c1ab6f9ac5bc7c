using Sluice.Sweep.Streams;
using Sluice.Sweep.Tls;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep;

/// <summary>
/// What one seed's world is made of. Each seed switches a random subset of features on, so that rare combinations occur that a mixture of
/// everything would drown. Made once per world.
/// </summary>
internal sealed class WorldPlan
{
    // Dice of their own: worlds without files stay what they were.
    private const int FilesFork = -3;
    private const int TlsFork = -9;
    private const int NetworkFork = -10;

    /// <summary>One world in so many has TLS: handshakes are dear.</summary>
    private const int TlsShare = 100;

    private static readonly int[] BufferSizes = [64, 200, 1024, 4096, 10_000, 65_536];
    private static readonly int[] Caps = [5000, 20_000, 70_000, 64 * 1024 * 1024, 64 * 1024 * 1024];
    private static readonly int[] Marks = [0, 1, 100, 1500, 4095, 4096, 16_384, 65_536];

    public WorldPlan(int seed, KernelDice dice)
    {
        IsIsolated = seed % 8 == 5;
        Hosts = IsIsolated ? 2 : 1 + dice.Below(3);
        Connections = 2 + dice.Below(7);
        ChaosTime = TimeSpan.FromMicroseconds(500 + dice.Below(20_000));
        TurnsPerEnd = 4 + dice.Below(24);
        MostDelay = TimeSpan.FromMicroseconds(1 + dice.Below(1500));
        Kernel = DrawKernel(dice);
        Cap = Caps[dice.Below(Caps.Length)];
        HighMarks = [Marks[dice.Below(Marks.Length)], Marks[dice.Below(Marks.Length)]];
        if (IsIsolated) HighMarks = [0, 0];
        LargestWrite = Math.Min(40_000, 40 * Math.Min(Kernel.SendBufferSize + Kernel.ReceiveBufferSize, 1000));
        SharesSmallBuffers = dice.Chance(0.5);
        ThrowChance = dice.Chance(0.4) ? 0.02 : 0;
        EndChance = dice.Chance(0.6) ? 0.03 : 0.004;
        BadBufferChance = dice.Chance(0.2) ? 0.02 : 0;
        CallbackActs = dice.Chance(0.8) ? 0.4 : 0.05;
        HandlerActs = dice.Chance(0.2);
        KeepsHalfOpen = dice.Chance(0.5) ? 0.7 : 0.2;
        HasFaults = !IsIsolated && dice.Chance(0.4);
        HasServerActs = !IsIsolated && dice.Chance(0.4);
        HasBadFactories = !IsIsolated && dice.Chance(0.2);
        HasCancels = !IsIsolated && dice.Chance(0.3);
        HasLateConnects = !IsIsolated && dice.Chance(0.5);
        EndsLoops = !IsIsolated && Hosts > 1 && dice.Chance(0.1);
        EndsAbruptly = !IsIsolated && dice.Chance(0.1);
        ChecksIdle = dice.Chance(0.25);
        Acts = DrawActs(dice);
        if (KernelDice.Fork(seed, FilesFork).Chance(0.2)) Acts = [.. Acts, Happening.SendFile, Happening.SendFile];
        Kinds = DrawKinds(dice);
        DrawTls(KernelDice.Fork(seed, TlsFork));
        DrawNetwork(KernelDice.Fork(seed, NetworkFork));
    }

    /// <summary>The run is repeated with one connection misbehaving otherwise, and the others' traces are compared.</summary>
    public bool IsIsolated { get; }

    public int Hosts { get; }

    public int Connections { get; }

    /// <summary>How long protocols and faults do as they like.</summary>
    public TimeSpan ChaosTime { get; private set; }

    public int TurnsPerEnd { get; }

    public TimeSpan MostDelay { get; private set; }

    public SimulationOptions Kernel { get; private set; }

    /// <summary>The hard limit of write buffers.</summary>
    public int Cap { get; }

    public IReadOnlyList<int> HighMarks { get; }

    public int LargestWrite { get; }

    /// <summary>Buffered protocols lend buffers of a few bytes.</summary>
    public bool SharesSmallBuffers { get; }

    public double ThrowChance { get; }

    public double EndChance { get; }

    /// <summary>How likely GetBuffer throws or gives nothing.</summary>
    public double BadBufferChance { get; }

    /// <summary>How likely a callback acts.</summary>
    public double CallbackActs { get; }

    public bool HandlerActs { get; }

    public double KeepsHalfOpen { get; }

    public bool HasFaults { get; }

    public bool HasServerActs { get; }

    public bool HasBadFactories { get; }

    public bool HasCancels { get; }

    public bool HasLateConnects { get; }

    /// <summary>A host's loop ends while the others go on.</summary>
    public bool EndsLoops { get; }

    /// <summary>All loops end in the middle of everything.</summary>
    public bool EndsAbruptly { get; }

    public bool ChecksIdle { get; }

    /// <summary>Which connections are TLS, or null where none is.</summary>
    public TlsPlan? Tls { get; private set; }

    /// <summary>Now and then hosts cannot reach each other.</summary>
    public bool HasPartitions { get; private set; }

    public bool LosesPackets => HasPartitions || Kernel.PacketLoss > 0;

    /// <summary>Hosts crash and are started again. Such worlds have connections alone.</summary>
    public bool HasCrashes { get; private set; }

    /// <summary>Connections break by themselves.</summary>
    public bool FailsBelow => HasFaults || HasPartitions || HasCrashes;

    /// <summary>What an end does in a turn: as often in the table as it is likely.</summary>
    public IReadOnlyList<Happening> Acts { get; }

    /// <summary>The kinds of protocols.</summary>
    public IReadOnlyList<ProtocolKind> Kinds { get; }

    private void DrawTls(KernelDice dice)
    {
        if (IsIsolated || dice.Below(TlsShare) != 0) return;
        Tls = new TlsPlan(dice);

        // Room and time enough for most handshakes to be over while chaos reigns.
        Kernel = Kernel with
        {
            SendBufferSize = Math.Max(1024, Kernel.SendBufferSize),
            ReceiveBufferSize = Math.Max(1024, Kernel.ReceiveBufferSize),
        };
        ChaosTime += TimeSpan.FromMilliseconds(20);
        MostDelay *= 2;
    }

    private void DrawNetwork(KernelDice dice)
    {
        if (IsIsolated || Hosts == 1 || !dice.Chance(0.15)) return;
        if (dice.Chance(0.5)) Kernel = Kernel with { PacketLoss = 0.2 * dice.Below(1000) / 1000 };
        HasPartitions = dice.Chance(0.5);
        HasCrashes = !EndsLoops && dice.Chance(0.4);
    }

    private static SimulationOptions DrawKernel(KernelDice dice) => new()
    {
        SendBufferSize = BufferSizes[dice.Below(BufferSizes.Length)],
        ReceiveBufferSize = BufferSizes[dice.Below(BufferSizes.Length)],
        Latency = TimeSpan.FromMicroseconds(1 + (dice.Chance(0.5) ? dice.Below(20) : dice.Below(2000))),
        LatencyJitter = dice.Chance(0.5) ? TimeSpan.Zero : TimeSpan.FromMicroseconds(dice.Below(500)),
        ShortReads = Sometimes(dice, 0.25),
        PartialWrites = Sometimes(dice, 0.3),
        RefusedWrites = Sometimes(dice, 0.2),
        SlowWrites = Sometimes(dice, 0.4),
        LateReads = Sometimes(dice, 0.5),
        SpuriousWakeups = Sometimes(dice, 0.1),
        PipeSize = 4096,
        ShufflesEvents = dice.Chance(0.6),
        StepLimit = 2_000_000,
        TraceLength = 0,
    };

    private static double Sometimes(KernelDice dice, double chance) => dice.Chance(0.5) ? chance : 0;

    private static List<Happening> DrawActs(KernelDice dice)
    {
        var acts = new List<Happening>();
        Offer(Happening.Write, 10, always: true);
        Offer(Happening.WriteLines, 2);
        Offer(Happening.WriteSequence, 2);
        Offer(Happening.Advance, 3);
        Offer(Happening.PauseReading, 2);
        Offer(Happening.ResumeReading, 3, always: true);
        Offer(Happening.SetProtocol, 2);
        Offer(Happening.SetLimits, 1);
        Offer(Happening.Later, 2);
        return acts;

        void Offer(Happening act, int weight, bool always = false)
        {
            if (!always && dice.Chance(0.4)) return;
            for (var i = 0; i < weight; i++) acts.Add(act);
        }
    }

    private static List<ProtocolKind> DrawKinds(KernelDice dice)
    {
        var kinds = new List<ProtocolKind>();
        foreach (var kind in Enum.GetValues<ProtocolKind>())
        {
            if (dice.Chance(0.6)) kinds.Add(kind);
        }

        if (kinds.Count == 0) kinds.Add(ProtocolKind.Plain);
        return kinds;
    }
}
