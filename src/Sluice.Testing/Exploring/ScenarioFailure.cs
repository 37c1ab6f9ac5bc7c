namespace Sluice.Testing.Exploring;

/// <summary>One run that failed: with what, and what could be seen then. Owned by the explorer.</summary>
internal sealed class ScenarioFailure
{
    private const int ShownEvents = 30;
    private const int MostOtherSeeds = 20;

    private readonly int _seed;
    private readonly Exception _exception;
    private readonly IReadOnlyList<string> _trace;
    private readonly string _sockets;
    private readonly IReadOnlyList<string> _rules;

    public ScenarioFailure(Simulation simulation, SimulationOptions options, Exception exception)
    {
        _seed = simulation.Seed;
        _exception = exception;
        _trace = simulation.Trace;
        _sockets = simulation.DescribeSockets();
        _rules = [.. simulation.Network.Rules.Names];
        Options = options;
    }

    public SimulationOptions Options { get; }

    /// <summary>What tells this failure from others: a program's own exception, not that a program failed.</summary>
    private Type Kind => (_exception is SimulatedHostException { InnerException: { } cause } ? cause : _exception).GetType();

    /// <summary>The failure of the same kind that remains when all is switched off that it does not need.</summary>
    public ScenarioFailure Shrunken(SeedExplorer explorer)
    {
        var failure = this;
        foreach (var surprise in Surprise.All.Concat(_rules.Where(name => !Options.IgnoredRules.Contains(name)).Select(Surprise.OfRule)))
        {
            var calmer = surprise.SwitchOff(failure.Options);
            if (calmer == failure.Options) continue;
            if (failure.Again(explorer, calmer) is { } other) failure = other;
        }

        return failure;
    }

    public SimulationFailedException ToException()
    {
        var shown = _trace.Skip(Math.Max(0, _trace.Count - ShownEvents));
        var message = string.Join(
            Environment.NewLine,
            [
                $"The scenario fails under seed {_seed}: {_exception.Message}",
                $"To run it again: new Simulation({_seed}, {OptionsText.Of(Options)})",
                "The last events:",
                .. shown.Select(static line => "  " + line),
                "The sockets:",
                _sockets,
            ]);
        return new SimulationFailedException(message, _seed, Options, _trace, _sockets, _exception);
    }

    /// <summary>
    /// The same failure with other options. What is switched off no longer draws from the dice, so the rest has other luck: where the seed no longer
    /// fails, one of the next may.
    /// </summary>
    private ScenarioFailure? Again(SeedExplorer explorer, SimulationOptions options)
    {
        for (var i = 0; i <= MostOtherSeeds; i++)
        {
            if (explorer.Try(_seed + i, options) is { } other && other.Kind == Kind) return other;
        }

        return null;
    }
}
