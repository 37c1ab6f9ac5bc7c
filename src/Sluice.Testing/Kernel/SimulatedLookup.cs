using System.Net.Sockets;
using Sluice.Backends;

namespace Sluice.Testing.Kernel;

/// <summary>A question about names under way. Owned by its backend until it has reported or is cancelled.</summary>
internal sealed class SimulatedLookup<TAnswer> : IoOperation, ISimulatedSource
    where TAnswer : class
{
    private readonly SimulatedBackend _host;
    private readonly string _question;
    private readonly Func<TAnswer?> _find;
    private readonly ILookupSink<TAnswer> _sink;
    private bool _isOver;

    /// <param name="host">Who asks.</param>
    /// <param name="question">What, in words.</param>
    /// <param name="find">The answer when it has travelled, or null.</param>
    /// <param name="sink">Who hears.</param>
    public SimulatedLookup(SimulatedBackend host, string question, Func<TAnswer?> find, ILookupSink<TAnswer> sink)
    {
        _host = host;
        _question = question;
        _find = find;
        _sink = sink;
        host.Add(this);
        host.Network.Schedule(host.Network.ArrivalTime(isUnix: false), () => IsReady = !_isOver);
    }

    public bool IsReady { get; private set; }

    public bool Report()
    {
        Cancel();
        if (_find() is { } answer) _sink.OnFound(answer);
        else _sink.OnNotFound(new SocketException((int)SocketError.HostNotFound));
        return true;
    }

    public override void Cancel()
    {
        _isOver = true;
        IsReady = false;
        _host.Remove(this);
    }

    public override string ToString() => _question;
}
