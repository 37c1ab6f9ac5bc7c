using System.Net;
using Sluice.Testing.Kernel;

namespace Sluice.Testing;

/// <summary>
/// Hosts with real loops and transports over simulated kernels, on the calling thread, under one virtual clock and one seed: the same
/// seed replays the same run.
/// </summary>
/// <remarks>
/// The clock stands still while any loop has something to do, and then jumps to the first timer or network event. A program that waits
/// for what can never happen fails with <see cref="SimulationStalledException"/> instead of hanging. Determinism ends where the program
/// leaves the loops: no thread pool (Task.WhenAny and its kin may use it), no real clock.
/// </remarks>
public sealed partial class Simulation : IDisposable
{
    private readonly List<SimulatedHost> _hosts = [];

    /// <summary>With no hosts yet.</summary>
    /// <param name="seed">Decides everything that is left to chance.</param>
    /// <param name="options">What the kernels may do, or null for the defaults.</param>
    public Simulation(int seed, SimulationOptions? options = null)
    {
        Seed = seed;
        Network = new SimulatedNetwork(seed, options ?? new SimulationOptions());
    }

    /// <summary>Over a network made for the purpose.</summary>
    internal Simulation(SimulatedNetwork network, int seed)
    {
        Seed = seed;
        Network = network;
    }

    /// <summary>The seed.</summary>
    public int Seed { get; }

    /// <summary>How far the virtual clock has come.</summary>
    public TimeSpan Time => Network.Clock.Now;

    /// <summary>The hosts, in the order in which they were added.</summary>
    public IReadOnlyList<SimulatedHost> Hosts => _hosts;

    /// <summary>
    /// What the library did against the rules between transports and kernels, in words. Empty unless it has a defect.
    /// </summary>
    public IReadOnlyList<string> Violations => Network.Violations;

    internal SimulatedNetwork Network { get; }

    /// <summary>Hears of every pass after it, for judges that look at the whole world.</summary>
    internal Action<SimulatedHost>? PassEnded { get; set; }

    /// <summary>Adds a machine at 10.0.0.N and fd00::N. Its name means the first, and the second to who asks for IPv6 alone.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="options">How its loop is made.</param>
    public SimulatedHost AddHost(string name, EventLoopOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (_hosts.Exists(host => host.Name == name)) throw new ArgumentException($"There is a host named {name} already.", nameof(name));
        if (_hosts.Count == 254) throw new InvalidOperationException("A simulation holds at most 254 hosts.");
        var address = new IPAddress([10, 0, 0, (byte)(_hosts.Count + 1)]);
        var host = new SimulatedHost(Network, name, address, options ?? new EventLoopOptions());
        _hosts.Add(host);
        return host;
    }

    /// <summary>Gives all hosts a name with addresses of its own, in place of the one that it may have had.</summary>
    /// <param name="name">The name.</param>
    /// <param name="addresses">Its addresses in the order in which they are answered: of hosts, or of nobody.</param>
    public void AddName(string name, params IPAddress[] addresses)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(addresses);
        Network.Names.Add(name, [.. addresses]);
    }

    /// <summary>Ends all loops in order.</summary>
    public void Dispose()
    {
        foreach (var host in _hosts)
        {
            foreach (var loop in host.Loops) loop.Loop.Dispose();
        }

        Network.Dispose();
    }
}
