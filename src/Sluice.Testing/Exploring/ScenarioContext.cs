using System.Collections.Concurrent;

namespace Sluice.Testing.Exploring;

/// <summary>Where an async scenario goes on after an await: between the passes of the hosts' loops, on the thread that runs them. One per run.</summary>
internal sealed class ScenarioContext : SynchronizationContext
{
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> _posted = new();
    private readonly Simulation _simulation;

    private ScenarioContext(Simulation simulation) => _simulation = simulation;

    public static void Run(Simulation simulation, Func<Simulation, Task> scenario)
    {
        var context = new ScenarioContext(simulation);
        var previous = Current;
        Task task;
        try
        {
            SetSynchronizationContext(context);
            task = scenario(simulation);
        }
        finally
        {
            SetSynchronizationContext(previous);
        }

        simulation.RunWith(task, context.RunPosted);
    }

    public override void Post(SendOrPostCallback d, object? state)
    {
        _posted.Enqueue((d, state));
        _simulation.Network.Woken.Set();
    }

    public override SynchronizationContext CreateCopy() => this;

    private bool RunPosted()
    {
        if (_posted.IsEmpty) return false;
        var previous = Current;
        try
        {
            SetSynchronizationContext(this);
            for (var left = _posted.Count; left > 0 && _posted.TryDequeue(out var posted); left--) posted.Callback(posted.State);
        }
        finally
        {
            SetSynchronizationContext(previous);
        }

        return true;
    }
}
