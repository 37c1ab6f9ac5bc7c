using System.Net;
using System.Net.Sockets;
using Sluice.Testing.Kernel.Datagrams;
using Sluice.Testing.Kernel.Processes;
using Sluice.Testing.Kernel.Streams;

namespace Sluice.Testing.Kernel;

/// <summary>
/// What the loops of one simulated host share, and what outlives a crash of them: addresses, files, the rules of the kernel. Owned by the network.
/// </summary>
internal sealed class SimulatedMachine
{
    private const int FirstProcess = 100;
    private const uint UserOfHosts = 1000;

    private readonly List<SimulatedBackend> _backends = [];

    /// <param name="network">The simulated network.</param>
    /// <param name="name">The host's name.</param>
    /// <param name="address">Its IPv4 address, N at the end.</param>
    public SimulatedMachine(SimulatedNetwork network, string name, IPAddress address)
    {
        Network = network;
        Name = name;
        Address = address;
        AddressV6 = new IPAddress([0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, address.GetAddressBytes()[3]]);
        Number = network.Machines.Count;
        Faults = new HostFaults(network, this);
        Ports = new PortTable(this);
        Datagrams = new DatagramTable(this);
        Processes = new ProcessTable(this);
        Credentials = new PeerCredentials(FirstProcess + Number, UserOfHosts, UserOfHosts);
        network.Add(this);
    }

    public SimulatedNetwork Network { get; }

    public string Name { get; }

    public IPAddress Address { get; }

    /// <summary>fd00::N.</summary>
    public IPAddress AddressV6 { get; }

    /// <summary>Its place among the machines, from 0.</summary>
    public int Number { get; }

    /// <summary>What users hold; null where a backend stands alone.</summary>
    public SimulatedHost? Host { get; set; }

    /// <summary>Told of each connect as it begins.</summary>
    public Action<EndPoint>? Connecting { get; set; }

    public HostFaults Faults { get; }

    public PortTable Ports { get; }

    public DatagramTable Datagrams { get; }

    public ProcessTable Processes { get; }

    public SimulatedFiles Files { get; } = new();

    /// <summary>The host's program, as Unix peers see it.</summary>
    public PeerCredentials Credentials { get; }

    /// <summary>Who connects to Unix sockets from here on, where it is not the host's own program.</summary>
    public PeerCredentials? ClientCredentials { get; set; }

    /// <summary>How often it has crashed: tells the sockets from before a crash.</summary>
    public int Boots { get; private set; }

    /// <summary>Crashed and not started again: what arrives is lost.</summary>
    public bool IsDown { get; private set; }

    /// <summary>The kernel side of each loop that runs here.</summary>
    public IReadOnlyList<SimulatedBackend> Backends => _backends;

    public void Add(SimulatedBackend backend) => _backends.Add(backend);

    public void Remove(SimulatedBackend backend) => _backends.Remove(backend);

    /// <summary>The power is cut: sockets, listeners and what the loops wait for are gone, without a word to anybody. Files stay.</summary>
    public void Crash()
    {
        IsDown = true;
        Boots++;
        Network.Trace.Add(KernelEvent.Crash, Number, 0, this);
        foreach (var backend in _backends) backend.Abandon();
        _backends.Clear();
        Faults.Clear();
        Ports.Clear();
        Datagrams.Clear();
        foreach (var socket in Network.OpenDatagrams.Where(socket => socket.Machine == this).ToArray()) socket.Vanish();
        Processes.Clear();
        foreach (var socket in Network.OpenSockets.Where(socket => socket.Machine == this).ToArray()) socket.Vanish();
    }

    public void Boot()
    {
        IsDown = false;
        Network.Trace.Add(KernelEvent.Boot, Number, 0, this);
    }

    public bool HasAddress(IPAddress address) => address.Equals(Address) || address.Equals(AddressV6);

    public IPAddress AddressOf(AddressFamily family) => family == AddressFamily.InterNetworkV6 ? AddressV6 : Address;

    public IEnumerable<SimulatedSocket> HeldSockets() => [.. _backends.SelectMany(static backend => backend.HeldSockets())];

    /// <returns>False where nobody watches the signal.</returns>
    public bool SendSignal(int number)
    {
        var isWatched = false;
        foreach (var backend in _backends.Where(static backend => backend.Process is null)) isWatched |= backend.SendSignal(number);
        return isWatched;
    }

    public override string ToString() => Name;

    public string DescribeWaits()
    {
        if (IsDown) return $"{Name} has crashed";
        var waits = string.Join("; ", _backends.SelectMany(static backend => backend.Sources));
        return $"{Name} waits for {(waits.Length == 0 ? "nothing" : waits)}";
    }
}
