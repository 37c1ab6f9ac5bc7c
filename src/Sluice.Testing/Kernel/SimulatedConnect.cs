using System.Net;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

/// <summary>A connect under way: one packet there, one back. Owned by its backend until it has reported or is cancelled.</summary>
internal sealed class SimulatedConnect : IoOperation, ISimulatedSource
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly SimulatedBackend _host;
    private readonly EndPoint? _local;
    private readonly EndPoint _remote;
    private readonly StreamOptions _options;
    private readonly IConnectSink _sink;
    private SimulatedSocket? _socket;
    private IoError _error;
    private bool _isOver;

    public SimulatedConnect(SimulatedBackend host, EndPoint? local, EndPoint remote, StreamOptions options, IConnectSink sink)
    {
        _host = host;
        _local = local;
        _remote = remote;
        _options = options;
        _sink = sink;
        host.Add(this);
        Travel(Arrive);
    }

    public bool IsReady { get; private set; }

    public bool Report()
    {
        End();
        if (_socket is { } socket) _sink.OnConnected(new SimulatedStreamChannel(_host, socket, _options));
        else _sink.OnConnectFailed(_error);
        return true;
    }

    public override void Cancel()
    {
        if (_isOver) return;
        End();
        _socket?.Release(reset: true);
    }

    public override string ToString() => $"a connect to {_remote}";

    private void Travel(Action then) => _host.Network.Schedule(_host.Network.ArrivalTime(_remote is not IPEndPoint), then);

    /// <summary>The first packet is at the other host.</summary>
    private void Arrive()
    {
        if (_isOver) return;
        if (_host.Faults.TryTakeConnect(out _error) || !MayBind(out _error) || FindListener() is not { } listener)
        {
            Travel(Answer);
            return;
        }

        if (!listener.HasRoom)
        {
            // A full backlog drops the packet; TCP sends it again.
            _host.Network.Schedule(_host.Clock.Now + RetryAfter, Arrive);
            return;
        }

        var (client, server) = _host.Network.Connect(_remote is not IPEndPoint, ClientName(), _remote);
        if (client.IsUnix) (client.PeerCredentials, server.PeerCredentials) = (_host.Credentials, _host.ClientCredentials ?? _host.Credentials);
        _socket = client;
        listener.Backlog.Enqueue(server);
        Travel(Answer);
    }

    /// <summary>The answer is here.</summary>
    private void Answer() => IsReady = !_isOver;

    private bool MayBind(out IoError error)
    {
        error = _local is IPEndPoint ip && !_host.Ports.IsOwn(ip.Address) ? IoError.AddressNotAvailable : IoError.None;
        return error.IsNone;
    }

    private SimulatedListener? FindListener()
    {
        var target = _remote is IPEndPoint ip ? _host.Network.Find(_host, ip.Address) : _host;
        if (target is not null) return target.Ports.FindListener(_remote, out _error);
        _error = IoError.HostUnreachable;
        return null;
    }

    private EndPoint? ClientName()
    {
        if (_remote is not IPEndPoint remote) return _local;
        var local = _local as IPEndPoint;
        var address = local is not null && !local.Address.Equals(IPAddress.Any) && !local.Address.Equals(IPAddress.IPv6Any) ? local.Address
            : IPAddress.IsLoopback(remote.Address) ? remote.Address
            : _host.Address;
        return new IPEndPoint(address, local is { Port: > 0 } ? local.Port : _host.Ports.NextEphemeral());
    }

    private void End()
    {
        _isOver = true;
        IsReady = false;
        _host.Remove(this);
    }
}
