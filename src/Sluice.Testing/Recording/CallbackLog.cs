namespace Sluice.Testing;

/// <summary>
/// What all recorders keep: the callbacks in order, breaches of the contract, and who waits for what. Owned by a recorder; filled on the loop's thread.
/// </summary>
internal sealed class CallbackLog
{
    private readonly List<string> _trace = [];
    private readonly List<string> _violations = [];
    private readonly List<(Func<bool> IsReached, Func<CheckFailedException> Lost, TaskCompletionSource Source)> _milestones = [];
    private readonly TaskCompletionSource _made = new();
    private readonly TaskCompletionSource<Exception?> _lost = new();

    public IReadOnlyList<string> Trace => _trace;

    public IReadOnlyList<string> Violations => _violations;

    public Task Made => _made.Task;

    public Task<Exception?> Lost => _lost.Task;

    private bool IsLost { get; set; }

    public void Note(string entry) => _trace.Add(entry);

    public void Violate(string what) => _violations.Add($"{what} (trace: {this})");

    public void SetMade() => Reach(() => _made.TrySetResult());

    /// <summary>All is over: what has not been reached never will be.</summary>
    public void SetLost(Exception? exception)
    {
        IsLost = true;
        Reach(() =>
        {
            foreach (var (_, lost, source) in _milestones) source.TrySetException(lost());
            _milestones.Clear();
            _lost.TrySetResult(exception);
        });
    }

    /// <summary>Done once something is so. Fails where all is over before.</summary>
    /// <param name="isReached">Asked after each callback.</param>
    /// <param name="lost">Why it never will be.</param>
    public Task WaitFor(Func<bool> isReached, Func<CheckFailedException> lost)
    {
        if (isReached()) return Task.CompletedTask;
        if (IsLost) return Task.FromException(lost());
        var source = new TaskCompletionSource();
        _milestones.Add((isReached, lost, source));
        return source.Task;
    }

    /// <summary>A callback has changed what is recorded.</summary>
    public void ReachMilestones()
    {
        for (var i = 0; i < _milestones.Count; i++)
        {
            var (isReached, _, source) = _milestones[i];
            if (!isReached()) continue;
            _milestones.RemoveAt(i--);
            Reach(() => source.TrySetResult());
        }
    }

    /// <summary>
    /// Completes a milestone in a turn of its own, so that who awaits it does not run inside the callback. RunContinuationsAsynchronously would
    /// do that too, but sends those who combine milestones (Task.WhenAll) over the thread pool, where a simulation cannot follow.
    /// </summary>
    public static void Reach(Action complete)
    {
        if (SynchronizationContext.Current is { } loop) loop.Post(static action => ((Action)action!)(), complete);
        else complete();
    }

    public override string ToString() => string.Join(", ", _trace);
}
