using Sluice.Backends;

namespace Sluice.Testing.Kernel;

/// <summary>The watch over one signal. Owned by its backend until it is cancelled.</summary>
internal sealed class SimulatedSignalWatch : IoOperation, ISimulatedSource
{
    private readonly SimulatedBackend _host;
    private readonly ISignalSink _sink;
    private int _pending;

    public SimulatedSignalWatch(SimulatedBackend host, int number, ISignalSink sink)
    {
        _host = host;
        _sink = sink;
        Number = number;
        host.Add(this);
    }

    public int Number { get; }

    public bool IsReady => _pending > 0;

    public void Send() => _pending++;

    public bool Report()
    {
        _pending--;
        _sink.OnSignal();
        return true;
    }

    public override void Cancel()
    {
        _pending = 0;
        _host.Remove(this);
    }

    public override string ToString() => $"signal {Number}";
}
