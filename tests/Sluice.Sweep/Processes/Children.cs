using Sluice.Testing;
using Sluice.Testing.Kernel;
using Sluice.Testing.Kernel.Processes;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Sweep.Processes;

/// <summary>The child processes of a world. Owned by it; a world in which connections are compared, or whose dice say so, has none. Acts on the first host's loop.</summary>
internal sealed class Children(World world, KernelDice dice)
{
    private const int MostChildren = 10;
    private static readonly int[] SpawnErrors = [11, 12, 24];

    private readonly List<ChaosChild> _children = [];

    private IReadOnlyList<SimulatedHost> Hosts => world.Simulation.Hosts;

    public void Begin()
    {
        if (world.Plan.IsIsolated || !dice.Chance(0.2)) return;
        for (var left = dice.SomeOf(4); left > 0; left--) Start();
        NextAct();
    }

    public void AfterPass(SimulatedHost host)
    {
        foreach (var child in _children)
        {
            if (child.Host == host) child.Verify();
        }
    }

    /// <summary>The sockets that processes hold, each once: a child may have them from another.</summary>
    public int HeldSockets()
    {
        if (_children.Count == 0) return 0;
        var held = new HashSet<SimulatedSocket>();
        foreach (var stream in Hosts.SelectMany(static host => host.Loops).SelectMany(static loop => loop.Backend.Sources).OfType<ProgramStream>())
        {
            if (stream.Kernel is { } socket) held.Add(socket);
        }

        return held.Count;
    }

    /// <summary>A host's loop ends, in the middle of whatever its children are about; null: all do.</summary>
    public void EndLoop(SimulatedHost? host)
    {
        foreach (var child in _children)
        {
            if (host is null || child.Host == host) child.Cut();
        }
    }

    public void CalmDown() => OnAll(static child => child.CalmDown());

    public void CloseAll() => OnAll(static child => child.Close());

    /// <summary>What is not as it should be by now, or null.</summary>
    public string? Restless() => _children.Select(static child => child.Restless()).FirstOrDefault(static what => what is not null);

    /// <summary>A child that is not lost, or null.</summary>
    public string? Open() => _children.Find(static child => child.IsLive)?.ToString();

    /// <summary>A process that runs still, or null.</summary>
    public string? Running() => Hosts.SelectMany(static host => host.Machine.Processes.Running).FirstOrDefault()?.ToString();

    /// <summary>The machines are switched off: children of children that have outlived all loops are gone.</summary>
    public void SwitchOff()
    {
        foreach (var process in Hosts.SelectMany(static host => host.Machine.Processes.Running).ToArray()) process.End(-9);
    }

    private void OnAll(Action<ChaosChild> action)
    {
        foreach (var child in _children)
        {
            if (!child.Host.Loop.IsClosed) child.Host.Loop.CallSoonThreadSafe(() => action(child));
        }
    }

    private void NextAct() => Hosts[0].Loop.CallLater(TimeSpan.FromTicks(1) + dice.Part(world.Plan.ChaosTime / 4), Act);

    private void Act()
    {
        if (world.IsCalm) return;
        NextAct();
        var faults = Hosts[dice.Below(Hosts.Count)].Faults;
        if (world.Plan.HasFaults && dice.Chance(0.2)) faults.FailNextSpawn(SpawnErrors[dice.Below(SpawnErrors.Length)]);
        if (world.Plan.HasFaults && dice.Chance(0.2)) faults.LoseNextExitStatus();
        if (dice.Chance(0.5) && _children.Count < MostChildren) Start();
    }

    private void Start()
    {
        var host = Hosts[dice.Below(Hosts.Count)];
        if (host.Loop.IsClosed) return;
        var child = new ChaosChild(world, host, _children.Count, dice);
        _children.Add(child);
        child.Begin();
    }
}
