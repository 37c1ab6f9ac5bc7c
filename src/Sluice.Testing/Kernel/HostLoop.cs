namespace Sluice.Testing.Kernel;

/// <summary>One loop of a host over its own side of the machine's kernel. Owned by the host until that crashes or the simulation ends.</summary>
internal sealed class HostLoop
{
    private readonly int _number;

    public HostLoop(SimulatedMachine machine, EventLoopOptions options)
    {
        _number = machine.Backends.Count;
        Backend = new SimulatedBackend(machine);
        Loop = new EventLoop(Backend, options);
    }

    public EventLoop Loop { get; }

    public SimulatedBackend Backend { get; }

    /// <summary>When its first timer is due, or null.</summary>
    public TimeSpan? NextTimer => Loop.IsClosed ? null : Loop.Core.NextTimer;

    /// <summary>A pass would do something.</summary>
    public bool HasWork =>
        !Loop.IsClosed && (Loop.Core.HasReadyWork || Loop.Core.HasUnflushedWrites || Backend.IsReady || NextTimer <= Backend.Network.Clock.Now);

    public void RunPass()
    {
        Backend.Network.Trace.Add(KernelEvent.Pass, (Backend.Machine.Number << 8) + _number);
        using (Loop.Enter()) Loop.Core.RunPass(TimeSpan.Zero);
        if (Backend.IsAbandoned) Backend.Dispose();
    }
}
