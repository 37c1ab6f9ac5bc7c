using System.Net;
using System.Runtime.InteropServices;
using Sluice.Testing.Kernel;

namespace Sluice.Testing;

/// <summary>One machine of a <see cref="Simulation"/>: a loop over its own simulated kernel.</summary>
public sealed class SimulatedHost
{
    internal SimulatedHost(SimulatedNetwork network, string name, IPAddress address, EventLoopOptions options)
    {
        Backend = new SimulatedBackend(network, name, address);
        Loop = new EventLoop(Backend, options);
    }

    /// <summary>The name that other hosts can resolve.</summary>
    public string Name => Backend.Name;

    /// <summary>The address that other hosts can connect to; loopback addresses mean the host itself.</summary>
    public IPAddress Address => Backend.Address;

    /// <summary>The host's loop. The simulation runs it; do not run it yourself.</summary>
    public EventLoop Loop { get; }

    /// <summary>What goes wrong here, on demand.</summary>
    public HostFaults Faults => Backend.Faults;

    internal SimulatedBackend Backend { get; }

    /// <summary>Two connected sockets that no transport holds yet: handles for the loop's methods that take over an existing socket.</summary>
    public (SafeHandle First, SafeHandle Second) CreateStreamPair() => Backend.CreateStreamPair();
}
