using System.Net;
using System.Net.Sockets;
using Sluice.Backends;

namespace Sluice.Testing.Kernel;

/// <summary>A look-up of a name under way. Owned by its backend until it has reported or is cancelled.</summary>
internal sealed class SimulatedResolve : IoOperation, ISimulatedSource
{
    private readonly SimulatedBackend _host;
    private readonly string _name;
    private readonly int _port;
    private readonly IResolveSink _sink;
    private bool _isOver;

    public SimulatedResolve(SimulatedBackend host, string name, int port, IResolveSink sink)
    {
        _host = host;
        _name = name;
        _port = port;
        _sink = sink;
        host.Add(this);
        host.Network.Schedule(host.Network.ArrivalTime(isUnix: false), () => IsReady = !_isOver);
    }

    public bool IsReady { get; private set; }

    public bool Report()
    {
        Cancel();
        var addresses = _host.Network.Resolve(_name);
        if (addresses.Length > 0) _sink.OnResolved([.. addresses.Select(address => new IPEndPoint(address, _port))]);
        else _sink.OnResolveFailed(new SocketException((int)SocketError.HostNotFound));
        return true;
    }

    public override void Cancel()
    {
        _isOver = true;
        IsReady = false;
        _host.Remove(this);
    }

    public override string ToString() => $"the addresses of {_name}";
}
