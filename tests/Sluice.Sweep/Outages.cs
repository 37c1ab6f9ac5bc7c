using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep;

/// <summary>What befalls a world's network and its machines: hosts that cannot reach each other, and hosts that crash. Owned by the world's turmoil.</summary>
/// <param name="world">The world.</param>
/// <param name="awaits">What a crash takes with it.</param>
/// <param name="sites">The servers that a crash takes with it.</param>
internal sealed class Outages(World world, Awaits awaits, List<Site> sites)
{
    private readonly KernelDice _dice = world.Dice;
    private readonly List<IDisposable> _partitions = [];

    private IReadOnlyList<SimulatedHost> Hosts => world.Simulation.Hosts;

    /// <summary>Perhaps something fails or comes back. The first host, whose loop this runs on, does not crash.</summary>
    public void Act()
    {
        if (world.Plan.HasPartitions && _dice.Chance(0.4)) PartOrHeal();
        if (world.Plan.HasCrashes && _dice.Chance(0.3)) CrashOrRestart(Hosts[1 + _dice.Below(Hosts.Count - 1)]);
    }

    /// <summary>All is up again, and no packet is lost any more.</summary>
    public void CalmDown()
    {
        Heal();
        foreach (var host in Hosts)
        {
            if (!host.IsRunning) Restart(host);
            foreach (var other in Hosts) world.Simulation.Link(host, other).PacketLoss = 0;
        }
    }

    private void PartOrHeal()
    {
        if (_partitions.Count > 0 && _dice.Chance(0.5))
        {
            Heal();
            return;
        }

        world.Note(Happening.Partition, 0);
        var first = _dice.Below(Hosts.Count);
        SimulatedHost[] side = [Hosts[first]];
        SimulatedHost[] others = [.. Hosts.Where(host => host != Hosts[first])];
        _partitions.Add(_dice.Chance(0.3) ? world.Simulation.PartitionOneWay(side, others) : world.Simulation.Partition(side, others));
    }

    private void Heal()
    {
        if (_partitions.Count == 0) return;
        world.Note(Happening.Heal, 0);
        foreach (var partition in _partitions) partition.Dispose();
        _partitions.Clear();
    }

    private void CrashOrRestart(SimulatedHost host)
    {
        if (!host.IsRunning)
        {
            Restart(host);
            return;
        }

        world.Note(Happening.Crash, 0);
        awaits.Forget(host.Loop);
        sites.RemoveAll(site => site.Host == host);
        foreach (var end in world.Ends)
        {
            if (end.Host == host) end.Crash();
        }

        host.Crash();
    }

    private void Restart(SimulatedHost host)
    {
        world.Note(Happening.Restart, 0);
        host.Restart();
        world.Watch(host);
    }
}
