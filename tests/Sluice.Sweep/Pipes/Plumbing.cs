using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Pipes;

/// <summary>The pipes of a world. Owned by it; a world in which connections are compared, or whose dice say so, has none.</summary>
internal sealed class Plumbing(World world, KernelDice dice)
{
    private const int MostPipes = 4;

    private readonly List<ChaosPipe> _pipes = [];

    /// <summary>Ends that no transport holds.</summary>
    public int LooseHandles => _pipes.Sum(static pipe => pipe.LooseHandles);

    public void Begin()
    {
        if (world.Plan.IsIsolated || !dice.Chance(0.3)) return;
        for (var left = dice.SomeOf(MostPipes); left > 0; left--)
        {
            var pipe = new ChaosPipe(world, world.Simulation.Hosts[dice.Below(world.Plan.Hosts)], _pipes.Count, dice);
            _pipes.Add(pipe);
            pipe.Begin();
        }
    }

    public void AfterPass(SimulatedHost host)
    {
        foreach (var pipe in _pipes)
        {
            if (pipe.Host == host) pipe.Verify();
        }
    }

    /// <summary>A host's loop ends, in the middle of whatever its pipes are about; null: all do.</summary>
    public void EndLoop(SimulatedHost? host)
    {
        foreach (var pipe in _pipes)
        {
            if (host is null || pipe.Host == host) pipe.Abandon();
        }
    }

    public void CalmDown()
    {
        foreach (var pipe in _pipes) pipe.CalmDown();
    }

    public void CloseAll()
    {
        foreach (var pipe in _pipes) pipe.Close();
    }

    /// <summary>What is not as it should be by now, or null.</summary>
    public string? Restless() => _pipes.Select(static pipe => pipe.Restless()).FirstOrDefault(static what => what is not null);

    /// <summary>A pipe with an end that is not lost, or null.</summary>
    public string? Open() => _pipes.Find(static pipe => pipe.IsLive)?.ToString();
}
