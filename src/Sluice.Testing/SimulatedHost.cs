using System.Net;
using System.Runtime.InteropServices;
using Sluice.Primitives;
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

    /// <summary>The same by IPv6: fd00::N.</summary>
    public IPAddress AddressV6 => Backend.AddressV6;

    /// <summary>
    /// Called with the address whenever the host's kernel is asked to connect, also where that fails at once: to see in which order and when
    /// addresses are tried.
    /// </summary>
    public Action<EndPoint>? Connecting
    {
        get => Backend.Connecting;
        set => Backend.Connecting = value;
    }

    /// <summary>The host's loop. The simulation runs it; do not run it yourself.</summary>
    public EventLoop Loop { get; }

    /// <summary>What goes wrong here, on demand.</summary>
    public HostFaults Faults => Backend.Faults;

    /// <summary>The host's program, as <see cref="ExtraInfo.PeerCredentials"/> shows it to Unix peers: process 100 + n of user and group 1000.</summary>
    public PeerCredentials Credentials => Backend.Credentials;

    /// <summary>Who connects to the host's Unix sockets from here on: set it to try what a server does with a stranger. Null, the default: the host's own program.</summary>
    public PeerCredentials? ClientCredentials
    {
        get => Backend.ClientCredentials;
        set => Backend.ClientCredentials = value;
    }

    internal SimulatedBackend Backend { get; }

    /// <summary>
    /// Sends the host's program a signal: the handler of <see cref="EventLoop.AddSignalHandler"/> is called back when its loop comes to it. No real signal
    /// reaches a simulated loop. Called on the thread that runs the simulation.
    /// </summary>
    /// <param name="signal">A named signal, or the number of any other.</param>
    /// <returns>
    /// True where there is a handler. Otherwise the signal's default action would be taken, mostly the end of the program; a simulation does not
    /// do that.
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such signal.</exception>
    public bool SendSignal(PosixSignal signal)
    {
        var number = SignalNumber.Of(signal);
        if (number == 0) throw new ArgumentOutOfRangeException(nameof(signal), signal, "There is no such signal.");
        return Backend.SendSignal(number);
    }

    /// <summary>Two connected sockets that no transport holds yet: handles for the loop's methods that take over an existing socket.</summary>
    public (SafeHandle First, SafeHandle Second) CreateStreamPair() => Backend.CreateStreamPair();
}
