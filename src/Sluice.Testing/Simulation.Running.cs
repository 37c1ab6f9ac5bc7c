namespace Sluice.Testing;

/// <content>Passes of the loops, and time between them.</content>
public sealed partial class Simulation
{
    // A continuation may be on its way through the thread pool; only then does real time pass.
    private static readonly TimeSpan PatienceWithOtherThreads = TimeSpan.FromMilliseconds(250);

    /// <summary>What runs between the passes and belongs to no host: true where it did something.</summary>
    internal Func<bool>? Outside { get; set; }

    /// <summary>Runs all hosts until the task is done, which begins on the first host's loop.</summary>
    /// <param name="main">The program.</param>
    /// <exception cref="SimulationStalledException">The task waits for what can never happen, or the step limit is passed.</exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void Run(Func<Task> main)
    {
        if (_hosts.Count == 0) throw new InvalidOperationException("Add a host first.");
        Run(_hosts[0], _ => main());
    }

    /// <summary>Runs all hosts until the task is done, which begins on one host's loop.</summary>
    /// <param name="host">Where.</param>
    /// <param name="main">The program.</param>
    /// <exception cref="SimulationStalledException">The task waits for what can never happen, or the step limit is passed.</exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void Run(SimulatedHost host, Func<EventLoop, Task> main)
    {
        ArgumentNullException.ThrowIfNull(host);
        ArgumentNullException.ThrowIfNull(main);
        Task? task = null;
        var loop = host.Loop;
        loop.Core.TryPost(_ => task = Start(loop, main), null);
        Drive(() => task is { IsCompleted: true }, end: null, "main is not done");
        task!.GetAwaiter().GetResult();
        VerifyLaws();
    }

    /// <summary>
    /// Runs all hosts until a fact holds, which is looked at after every pass. The clock stands still while a loop has something to do, then jumps.
    /// </summary>
    /// <param name="condition">The fact.</param>
    /// <param name="limit">How much virtual time it may take at most; null is no limit.</param>
    /// <exception cref="SimulationStalledException">
    /// Nothing can happen any more that could make it hold, or a limit is passed, of time or of steps. The message says who waits for what.
    /// </exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void RunUntil(Func<bool> condition, TimeSpan? limit = null)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (limit is { } most) ArgumentOutOfRangeException.ThrowIfLessThan(most, TimeSpan.Zero, nameof(limit));
        if (!Drive(condition, Time + limit, "the condition does not hold"))
        {
            throw Stalled($"The condition does not hold after {limit} of virtual time, at {Time}.");
        }

        VerifyLaws();
    }

    /// <summary>Runs all hosts for a span of virtual time. A world in which nothing happens jumps to its end.</summary>
    /// <param name="time">How long.</param>
    /// <exception cref="SimulationStalledException">The step limit is passed.</exception>
    /// <exception cref="SimulatedHostException">A program of <see cref="SimulatedHost.Start"/> has failed meanwhile.</exception>
    public void RunFor(TimeSpan time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
        Drive(static () => false, Time + time, "");
        VerifyLaws();
    }

    private static async Task Start(EventLoop loop, Func<EventLoop, Task> main) => await main(loop);

    /// <returns>False where the time came to its end first.</returns>
    private bool Drive(Func<bool> isDone, TimeSpan? end, string notDone)
    {
        var steps = 0L;
        while (true)
        {
            ThrowFailure();
            if (isDone()) return true;
            if (++steps > Network.Options.StepLimit) throw Stalled($"The run took more than {Network.Options.StepLimit:N0} passes.");
            if (RunPasses()) continue;
            ThrowFailure();
            if (isDone()) return true;
            if (Time >= end && !AnyHasWork()) return false;
            JumpToNextEvent(end, notDone);
        }
    }

    /// <summary>A pass of each loop that has something to do.</summary>
    /// <returns>False where none has: time may go on.</returns>
    private bool RunPasses()
    {
        Network.RunDueEvents();
        var ran = Outside?.Invoke() ?? false;

        // By index: a program may add hosts and loops, and crash them.
        for (var i = 0; i < _hosts.Count; i++)
        {
            var host = _hosts[i];
            for (var j = 0; j < host.Loops.Count; j++)
            {
                var loop = host.Loops[j];
                if (!loop.HasWork) continue;
                ran = true;
                loop.RunPass();
                PassEnded?.Invoke(host);
            }
        }

        return ran;
    }

    private bool AnyHasWork()
    {
        Network.RunDueEvents();
        foreach (var host in _hosts)
        {
            foreach (var loop in host.Loops)
            {
                if (loop.HasWork) return true;
            }
        }

        return false;
    }

    private void JumpToNextEvent(TimeSpan? end, string notDone)
    {
        Network.Woken.Reset();
        if (AnyHasWork() || (Outside?.Invoke() ?? false)) return;
        var next = Network.NextEvent;
        foreach (var host in _hosts)
        {
            foreach (var loop in host.Loops)
            {
                if (loop.NextTimer is { } timer && (next is null || timer < next)) next = timer;
            }
        }

        if (end < next || next is null) next = end;
        if (next is null || next == TimeSpan.MaxValue)
        {
            if (Network.Woken.Wait(PatienceWithOtherThreads)) return;
            throw Stalled($"Nothing can happen any more, and {notDone}.");
        }

        Network.JumpTo(next.Value);
    }

    private SimulationStalledException Stalled(string what) =>
        new(string.Join(Environment.NewLine, [what, .. _hosts.Select(static host => host.DescribeWaits()), DescribeSockets()]));

    private void ThrowFailure()
    {
        foreach (var host in _hosts)
        {
            if (host.Failure is not { } failure) continue;
            host.Failure = null;
            throw failure;
        }
    }

    private void VerifyLaws()
    {
        if (Violations.Count > 0) throw new InvalidOperationException(string.Join(Environment.NewLine, Violations));
    }
}
