using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;
using Sluice.Testing;

namespace Sluice.ParityTests.Playing;

/// <summary>The simulated kernel, with or without surprises. Owned by the play.</summary>
internal sealed class SimulatedKernel(SimulatedHost host) : IPlayKernel
{
    private int _paths;

    public EventLoop Loop => host.Loop;

    /// <summary>Plays a scenario. One that does not end fails with what its actors have seen so far.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="seed">Decides what the kernel does.</param>
    /// <param name="options">What it may do; null: the defaults.</param>
    public static Traces Play(Scenario scenario, int seed, SimulationOptions? options)
    {
        using var simulation = new Simulation(seed, options);
        var host = simulation.AddHost("stage", new EventLoopOptions { Logger = NullLogger.Instance });
        host.AddProgram("sh", StageProgram.RunShell);
        var kernel = new SimulatedKernel(host);
        var world = new World(scenario, kernel);
        Traces? traces = null;
        try
        {
            simulation.Run(async () => traces = await world.PlayAsync());
        }
        catch (Exception exception)
        {
            throw new PlayFailedException($"{scenario}, seed {seed}: {exception.Message} So far:{Environment.NewLine}{world.TracesSoFar()}", exception);
        }

        return traces!;
    }

    public EndPoint NewAddress(bool isUnix) => isUnix ? new UnixDomainSocketEndPoint($"/simulated/{++_paths}") : new IPEndPoint(IPAddress.Loopback, 0);

    public EndPoint UnusedAddress() => new IPEndPoint(IPAddress.Loopback, 9);

    public (SafeHandle First, SafeHandle Second) DatagramPair() => host.CreateDatagramPair();

    public (SafeHandle First, SafeHandle Second) Pair() => host.CreateStreamPair();

    public (SafeHandle Reader, SafeHandle Writer) Pipe() => host.CreatePipe();
}
