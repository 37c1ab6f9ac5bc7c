using Sluice.Testing.Kernel;

namespace Sluice.Testing;

/// <summary>Runs passes of all loops, and moves the clock between them. Owned by the simulation.</summary>
internal sealed class SimulationDriver(SimulatedNetwork network, List<SimulatedHost> hosts)
{
    // A continuation may be on its way through the thread pool; only then does real time pass.
    private static readonly TimeSpan PatienceWithOtherThreads = TimeSpan.FromSeconds(2);

    /// <summary>What runs between the passes and belongs to no host: true where it did something.</summary>
    public Func<bool>? Outside { get; set; }

    /// <summary>Hears of every pass after it.</summary>
    public Action<SimulatedHost>? PassEnded { get; set; }

    /// <summary>Runs until something is so.</summary>
    /// <param name="isDone">Asked after every round of passes.</param>
    /// <param name="end">How far the clock may go; null is no limit.</param>
    /// <param name="notDone">What is not so, for the report of a stall.</param>
    /// <returns>False where the time came to its end first.</returns>
    public bool Run(Func<bool> isDone, TimeSpan? end, string notDone)
    {
        var steps = 0L;
        while (true)
        {
            ThrowFailure();
            if (isDone()) return true;
            if (++steps > network.Options.StepLimit) throw Stalled($"The run took more than {network.Options.StepLimit:N0} passes.");
            if (RunPasses()) continue;
            ThrowFailure();
            if (isDone()) return true;
            if (network.Clock.Now >= end && !AnyHasWork()) return false;
            JumpToNextEvent(end, notDone);
        }
    }

    /// <summary>With who waits for what.</summary>
    public SimulationStalledException Stalled(string what) =>
        new(string.Join(Environment.NewLine, [what, .. hosts.Select(static host => host.DescribeWaits()), SocketTable.Describe(network)]));

    /// <summary>A pass of each loop that has something to do.</summary>
    /// <returns>False where none has: time may go on.</returns>
    private bool RunPasses()
    {
        network.RunDueEvents();
        var ran = Outside?.Invoke() ?? false;

        // By index: a program may add hosts and loops, and crash them.
        for (var i = 0; i < hosts.Count; i++)
        {
            var host = hosts[i];
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
        network.RunDueEvents();
        foreach (var host in hosts)
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
        network.Woken.Reset();
        if (AnyHasWork() || (Outside?.Invoke() ?? false)) return;
        var next = network.NextEvent;
        foreach (var host in hosts)
        {
            foreach (var loop in host.Loops)
            {
                if (loop.NextTimer is { } timer && (next is null || timer < next)) next = timer;
            }
        }

        if (end < next || next is null) next = end;
        if (next is null || next == TimeSpan.MaxValue)
        {
            if (network.Woken.Wait(PatienceWithOtherThreads)) return;
            throw Stalled($"Nothing can happen any more, and {notDone}.");
        }

        network.JumpTo(next.Value);
    }

    private void ThrowFailure()
    {
        if (network.Rules.Failure is { } rule)
        {
            network.Rules.Failure = null;
            rule.Throw();
        }

        foreach (var host in hosts)
        {
            if (host.Failure is not { } failure) continue;
            host.Failure = null;
            throw failure;
        }
    }
}
