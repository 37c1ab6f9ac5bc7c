using Sluice.Testing.Exploring;

namespace Sluice.Testing;

/// <content>One scenario under many seeds.</content>
public sealed partial class Simulation
{
    /// <summary>
    /// Runs a scenario under one seed after another, each in a simulation of its own, until all have passed or one fails. For a failure it switches off, one by one, what the
    /// network leaves to chance, and keeps off what a failure of the same kind, under that seed or one of the next, does not need.
    /// </summary>
    /// <param name="scenario">Adds hosts to an empty simulation and runs it; it throws where what it sees is wrong. It must do the same each time that it is called.</param>
    /// <param name="seeds">How many seeds.</param>
    /// <param name="firstSeed">The first of them.</param>
    /// <param name="options">What the kernels may do, or null for the defaults.</param>
    /// <param name="cancellationToken">Ends the exploration between two runs.</param>
    /// <exception cref="SimulationFailedException">The scenario failed; the message says under which seed, with what, and how to run it again.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static void Explore(
        Action<Simulation> scenario, int seeds = 1000, int firstSeed = 0, SimulationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        ArgumentOutOfRangeException.ThrowIfNegative(seeds);
        new SeedExplorer(scenario, cancellationToken).Run(seeds, firstSeed, options ?? new SimulationOptions());
    }

    /// <inheritdoc cref="Explore(Action{Simulation}, int, int, SimulationOptions?, CancellationToken)"/>
    /// <remarks>
    /// The scenario belongs to no host: its parts run between the passes of the loops, and an <c>await</c> in it runs the simulation. What it does with a host's loop it does
    /// by <see cref="EventLoop.InvokeAsync(Func{Task})"/> or a program of <see cref="SimulatedHost.Start"/>.
    /// </remarks>
    public static void Explore(
        Func<Simulation, Task> scenario, int seeds = 1000, int firstSeed = 0, SimulationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(scenario);
        Explore(simulation => ScenarioContext.Run(simulation, scenario), seeds, firstSeed, options, cancellationToken);
    }

    /// <summary>Runs all hosts while a task that belongs to none goes on.</summary>
    internal void RunWith(Task task, Func<bool> outside)
    {
        Outside = outside;
        try
        {
            Drive(() => task.IsCompleted, end: null, "the scenario is not done");
        }
        finally
        {
            Outside = null;
        }

        task.GetAwaiter().GetResult();
        VerifyLaws();
    }
}
