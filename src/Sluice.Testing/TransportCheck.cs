namespace Sluice.Testing;

/// <summary>One behaviour that every transport must show, whatever carries it.</summary>
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

    /// <summary>
    /// Runs it, closes what it left open, and verifies what holds for every check: each protocol saw its callbacks in order, was told of no more than was
    /// due, and was lost in the end; the exception handler heard of nothing that the check did not expect. Call it on the stage's loop, which you run.
    /// </summary>
    /// <remarks>For the time of the run the loop's exception handler is the stage's; then yours is put back.</remarks>
    /// <param name="stage">Where: a new one for each run.</param>
    /// <exception cref="CheckFailedException">
    /// The transport behaves otherwise, or the check did not end within <see cref="CheckStage.Deadline"/>; the message names the check and tells what each
    /// recording protocol saw.
    /// </exception>
    /// <exception cref="ArgumentException">The stage does not offer what the check needs.</exception>
    /// <exception cref="InvalidOperationException">The stage has had its run.</exception>
    public async Task RunAsync(CheckStage stage)
    {
        ArgumentNullException.ThrowIfNull(stage);
        if (!FitsOn(stage.Offers)) throw new ArgumentException($"{Name} needs {Needs & ~stage.Offers}, which the stage does not offer.", nameof(stage));
        if ((Needs & CheckNeeds.Kernel) != 0 && stage is not KernelStage) throw new ArgumentException($"{Name} needs a {nameof(KernelStage)}.", nameof(stage));
        stage.Begin();
        try
        {
            await BeforeDeadline(PerformAsync(stage), stage);
        }
        catch (Exception exception)
        {
            throw new CheckFailedException($"{Name}: {exception.Message}{Environment.NewLine}{stage.DescribeRecords()}", exception);
        }
    }

    /// <summary>True where the stage offers all that the check needs.</summary>
    /// <param name="offers">What the stage offers: <see cref="CheckStage.Offers"/>.</param>
    public bool FitsOn(CheckNeeds offers) => (Needs & ~offers) == 0;

    /// <inheritdoc/>
    public override string ToString() => Name;

    /// <summary>The run without its deadline, for stages that have one of their own.</summary>
    internal Task PerformAsync(CheckStage stage) => stage.PerformAsync(_run);

    private static async Task BeforeDeadline(Task performed, CheckStage stage)
    {
        if (stage.Deadline == Timeout.InfiniteTimeSpan)
        {
            await performed;
            return;
        }

        var late = stage.Loop.CreateFuture();
        var deadline = stage.Loop.CallLater(stage.Deadline, late.SetResult);
        if (await Task.WhenAny(performed, late.Task) != performed) throw new CheckFailedException($"it did not end within {stage.Deadline}");
        deadline.Cancel();
        await performed;
    }
}
