using System.Net;

namespace Sluice.Testing;

/// <content>The network between the hosts, and what goes wrong in it.</content>
public sealed partial class Simulation
{
    /// <summary>The way between two hosts, to change what it is like; between a host and itself it is that of its loopback connections.</summary>
    /// <param name="a">One host.</param>
    /// <param name="b">The other one, or the same.</param>
    /// <returns>The same object at each call.</returns>
    public SimulatedLink Link(SimulatedHost a, SimulatedHost b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        return Network.LinkBetween(a.Machine, b.Machine);
    }

    /// <summary>
    /// Has a function judge every packet of a TCP connection as it leaves, also one that is sent again. The first rule that does not let it pass
    /// decides; the oldest is asked first. Unix sockets have no packets.
    /// </summary>
    /// <param name="rule">Called in the midst of what a kernel does: it may crash hosts, add and remove rules, but use no transport.</param>
    /// <param name="name">Lets <see cref="Explore(Action{Simulation}, int, int, SimulationOptions?, CancellationToken)"/> find out whether a failure needs the rule.</param>
    /// <returns>Removes the rule when it is disposed of.</returns>
    public IDisposable AddRule(Func<PacketInfo, Verdict> rule, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(rule);
        return Network.Rules.Add(rule, name);
    }

    /// <summary>Cuts the network in two: until it is disposed of, every packet is lost that leaves a host of one side for one of the other.</summary>
    /// <param name="side">Hosts of one side.</param>
    /// <param name="other">Hosts of the other side.</param>
    /// <param name="name">As for <see cref="AddRule"/>.</param>
    /// <returns>Heals the network when it is disposed of.</returns>
    public IDisposable Partition(IEnumerable<SimulatedHost> side, IEnumerable<SimulatedHost> other, string? name = null)
    {
        HashSet<SimulatedHost> here = [.. side];
        HashSet<SimulatedHost> there = [.. other];
        return AddRule(
            packet => (here.Contains(packet.From) && there.Contains(packet.To)) || (there.Contains(packet.From) && here.Contains(packet.To)) ? Verdict.Drop : Verdict.Pass,
            name);
    }

    /// <summary>As <see cref="Partition"/>, in one direction only: what goes the other way still arrives.</summary>
    /// <param name="from">Hosts whose packets are lost.</param>
    /// <param name="to">Hosts that they are for.</param>
    /// <param name="name">As for <see cref="AddRule"/>.</param>
    /// <returns>Heals the network when it is disposed of.</returns>
    public IDisposable PartitionOneWay(IEnumerable<SimulatedHost> from, IEnumerable<SimulatedHost> to, string? name = null)
    {
        HashSet<SimulatedHost> here = [.. from];
        HashSet<SimulatedHost> there = [.. to];
        return AddRule(packet => here.Contains(packet.From) && there.Contains(packet.To) ? Verdict.Drop : Verdict.Pass, name);
    }

    /// <summary>Makes an address a black hole: connects to it that begin from now on hear nothing, and fail after 127 s with ETIMEDOUT as on Linux.</summary>
    /// <param name="address">The address, of a host or of nobody.</param>
    public void MakeSilent(IPAddress address) => Network.SetReach(address, isSilent: true, isUnreachable: false);

    /// <summary>Lets connects to an address that arrive from now on fail with EHOSTUNREACH, as those to addresses of nobody do.</summary>
    /// <param name="address">The address.</param>
    public void MakeUnreachable(IPAddress address) => Network.SetReach(address, isSilent: false, isUnreachable: true);

    /// <summary>Undoes <see cref="MakeSilent"/> and <see cref="MakeUnreachable"/>.</summary>
    /// <param name="address">The address.</param>
    public void MakeReachable(IPAddress address) => Network.SetReach(address, isSilent: false, isUnreachable: false);
}
