namespace Sluice.Testing;

/// <summary>One behaviour that every transport must show, whatever kernel carries it.</summary>
public sealed class TransportCheck
{
    private readonly Func<CheckStage, Task> _run;

    internal TransportCheck(string name, IReadOnlyList<string> caseIds, CheckNeeds needs, Func<CheckStage, Task> run)
    {
        Name = name;
        CaseIds = caseIds;
        Needs = needs;
        _run = run;
    }

    /// <summary>The behaviour, as a sentence with underscores.</summary>
    public string Name { get; }

    /// <summary>The behaviours of the catalogue that it covers.</summary>
    public IReadOnlyList<string> CaseIds { get; }

    /// <summary>What it asks of the stage.</summary>
    public CheckNeeds Needs { get; }

    /// <summary>Runs it on the stage's loop, which the caller runs. Throws <see cref="CheckFailedException"/> where the behaviour is another.</summary>
    /// <param name="stage">Where.</param>
    public Task RunAsync(CheckStage stage) => _run(stage);

    /// <summary>True where the stage offers all that the check needs.</summary>
    /// <param name="offers">What the stage offers: <see cref="CheckStage.Offers"/>.</param>
    public bool FitsOn(CheckNeeds offers) => (Needs & ~offers) == 0;

    /// <inheritdoc/>
    public override string ToString() => Name;
}
