using Sluice.Backends;

namespace Sluice.Testing.Kernel.Processes;

/// <summary>A child as the backend of its parent sees it. Owned by its transport.</summary>
internal sealed class SimulatedChild : ChildProcess, ISimulatedSource
{
    private readonly SimulatedBackend _parent;
    private readonly SimulatedProcess _process;
    private readonly IExitSink _sink;
    private bool _isDue;
    private bool _isReported;

    public SimulatedChild(SimulatedBackend parent, SimulatedProcess process, StreamChannel?[] pipes, IExitSink sink)
    {
        _parent = parent;
        _process = process;
        _sink = sink;
        Pipes = pipes;
        process.Ended = OnEnded;
        parent.Add(this);
    }

    public override int Id => _process.ProcessId;

    public override StreamChannel?[] Pipes { get; }

    public override bool HasEnded => _process.ReturnCode is not null;

    public bool IsReady => _isDue && !_isReported;

    public override bool TrySignal(int number)
    {
        if (_isReported) return false;
        _process.Signal(number);
        return true;
    }

    public bool Report()
    {
        _isReported = true;
        _parent.Remove(this);
        _sink.OnExited(_parent.Faults.TryTakeLostStatus() ? null : _process.ReturnCode);
        return true;
    }

    /// <summary>The parent's loop has ended: it does not outlive that.</summary>
    public void Kill() => _process.End(-9);

    public override string ToString() => $"the end of {_process}";

    /// <summary>The news of it may come before or behind the end of its pipes.</summary>
    private void OnEnded()
    {
        var network = _parent.Network;
        var delay = network.Chance(network.Options.LateReads) ? network.ArrivalTime(isUnix: false) : network.Clock.Now;
        network.Schedule(delay, () => _isDue = true);
    }
}
