namespace Sluice.Testing;

/// <summary>
/// A scenario fails under a seed. The message says how to run it again; the failure itself is the inner exception.
/// </summary>
public sealed class SimulationFailedException : Exception
{
    internal SimulationFailedException(string message, int seed, SimulationOptions options, IReadOnlyList<string> trace, string sockets, Exception cause)
        : base(message, cause) => (Seed, Options, Trace, Sockets) = (seed, options, trace, sockets);

    /// <summary>A seed under which it fails with <see cref="Options"/>: the first that failed, or one soon after it.</summary>
    public int Seed { get; }

    /// <summary>The options with every surprise switched off that the failure does not need.</summary>
    public SimulationOptions Options { get; }

    /// <summary>The end of the run with those options (<see cref="Simulation.Trace"/>).</summary>
    public IReadOnlyList<string> Trace { get; }

    /// <summary>The sockets when it failed (<see cref="Simulation.DescribeSockets"/>).</summary>
    public string Sockets { get; }
}
