namespace Sluice.Testing.Exploring;

/// <summary>Runs a scenario under seeds until one fails, and finds out what that failure needs. Owned by the call of Explore.</summary>
internal sealed class SeedExplorer(Action<Simulation> scenario, CancellationToken cancellationToken)
{
    public void Run(int seeds, int firstSeed, SimulationOptions options)
    {
        for (var i = 0; i < seeds; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (Try(firstSeed + i, options) is { } failure) throw failure.Shrunken(this).ToException();
        }
    }

    /// <summary>One run.</summary>
    /// <returns>How it failed, or null.</returns>
    public ScenarioFailure? Try(int seed, SimulationOptions options)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var simulation = new Simulation(seed, options);
        try
        {
            scenario(simulation);
        }
        catch (Exception exception)
        {
            var failure = new ScenarioFailure(simulation, options, exception);
            Abandon(simulation);
            return failure;
        }

        try
        {
            simulation.Dispose();
            return null;
        }
        catch (Exception exception)
        {
            return new ScenarioFailure(simulation, options, exception);
        }
    }

    /// <summary>What else goes wrong at the end of a run that has failed is not the failure.</summary>
    private static void Abandon(Simulation simulation)
    {
        try
        {
            simulation.Dispose();
        }
        catch (Exception)
        {
            return;
        }
    }
}
