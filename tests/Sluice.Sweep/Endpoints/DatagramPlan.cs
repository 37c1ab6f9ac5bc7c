using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Endpoints;

/// <summary>The datagram endpoints of one seed's world. Made once per world, by dice of their own.</summary>
internal sealed class DatagramPlan
{
    private static readonly int[] Caps = [3000, 20_000, 4 * 1024 * 1024, 4 * 1024 * 1024];
    private static readonly int[] Marks = [0, 100, 1500, 16_384, 65_536];
    private readonly KernelDice _dice;

    public DatagramPlan(KernelDice dice, bool isIsolated)
    {
        _dice = dice;
        Endpoints = !isIsolated && dice.Chance(0.2) ? 2 + dice.Below(5) : 0;
        Turns = 4 + dice.Below(16);
        Cap = Caps[dice.Below(Caps.Length)];
        High = Marks[dice.Below(Marks.Length)];
        LargestSend = dice.Chance(0.1) ? 70_000 : dice.Chance(0.5) ? 5000 : 200;
        Burst = 1 + dice.Below(dice.Chance(0.2) ? 60 : 6);
        ThrowChance = dice.Chance(0.4) ? 0.03 : 0;
        EndChance = dice.Chance(0.6) ? 0.03 : 0;
        HasFaults = dice.Chance(0.4);
        HasLateOnes = dice.Chance(0.5);
    }

    /// <summary>How many there are from the beginning; 0: the world has no datagrams.</summary>
    public int Endpoints { get; }

    public int Turns { get; }

    /// <summary>The hard limit of what waits to be sent.</summary>
    public int Cap { get; }

    public int High { get; }

    public int LargestSend { get; }

    /// <summary>How many datagrams one act sends at most.</summary>
    public int Burst { get; }

    public double ThrowChance { get; }

    public double EndChance { get; }

    public bool HasFaults { get; }

    public bool HasLateOnes { get; }

    /// <summary>Nothing is ever dropped for want of room in the transport: what was accepted can be counted.</summary>
    public bool HasRoomForAll => Cap > 1_000_000;

    /// <summary>The same kernels over links that lose, repeat and exchange datagrams.</summary>
    public SimulationOptions On(SimulationOptions kernel) => Endpoints == 0 ? kernel : kernel with
    {
        DatagramLoss = Sometimes(0.05),
        DatagramDuplication = Sometimes(0.05),
        DatagramReordering = Sometimes(0.2),
    };

    private double Sometimes(double chance) => _dice.Chance(0.4) ? chance : 0;
}
