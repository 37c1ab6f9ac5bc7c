using System.Net;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

/// <summary>A connect under way: one packet there, one back. Owned by its backend until it has reported or is cancelled.</summary>
internal sealed class SimulatedConnect : IoOperation, ISimulatedSource
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // Linux sends a first packet that nobody answers six times more, after 1, 2, 4, … seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(127);

    private readonly SimulatedBackend _host;
    private readonly EndPoint _remote;
    private readonly StreamOptions _options;
    private readonly IConnectSink _sink;
    private EndPoint? _local;
    private EndPoint? _reserved;
    private readonly KernelDice _dice;
    private SimulatedSocket? _socket;
    private ConnectStep _step = ConnectStep.Connect;
    private IoError _error;
    private bool _isOver;

    public SimulatedConnect(SimulatedBackend host, EndPoint? local, EndPoint remote, StreamOptions options, IConnectSink sink)
    {
        _host = host;
        _local = local;
        _remote = remote;
        _options = options;
        _sink = sink;
        _dice = host.Network.NewDice();
        host.Add(this);
        host.Connecting?.Invoke(remote);
        if (!TryBind()) Answer();
        else if (remote is IPEndPoint ip && host.Network.Drops(ip.Address)) host.Network.Schedule(host.Clock.Now + Patience, TimeOut);
        else Travel(Arrive);
    }

    public bool IsReady { get; private set; }

    public KernelDice Dice => _dice;

    /// <summary>The socket of a connect that has been accepted and not reported yet.</summary>
    public SimulatedSocket? Held => _isOver ? null : _socket;

    public bool Report()
    {
        End();
        if (_socket is { } socket)
        {
            if (_reserved is { } bound) socket.Released = () => _host.Ports.Release(bound);
            _sink.OnConnected(new SimulatedStreamChannel(_host, socket, _options));
            return true;
        }

        ReleaseAddress();
        _sink.OnConnectFailed(_step, _error);
        return true;
    }

    public override void Cancel()
    {
        if (_isOver) return;
        End();
        ReleaseAddress();
        _socket?.Release(reset: true);
    }

    public override string ToString() => $"a connect to {_remote}";

    private void Travel(Action then) => _host.Network.Schedule(_host.Network.ArrivalTime(_remote is not IPEndPoint, _dice), then);

    /// <summary>The local address is bound before the first packet leaves.</summary>
    private bool TryBind()
    {
        if (_local is null || _host.Ports.TryReserve(_local, out _reserved, out _error))
        {
            _local = _reserved ?? _local;
            return true;
        }

        _step = ConnectStep.Bind;
        return false;
    }

    /// <summary>The first packet is at the other host.</summary>
    private void Arrive()
    {
        if (_isOver) return;
        if (_host.Faults.TryTakeConnect(out _error) || FindListener() is not { } listener)
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

        var (client, server) = _host.Network.Connect(_remote is not IPEndPoint, ClientName(), _remote, _dice);
        if (client.IsUnix) (client.PeerCredentials, server.PeerCredentials) = (_host.Credentials, _host.ClientCredentials ?? _host.Credentials);
        _socket = client;
        listener.Backlog.Enqueue(server);
        Travel(Answer);
    }

    /// <summary>The answer is here.</summary>
    private void Answer() => IsReady = !_isOver;

    private void TimeOut()
    {
        _error = IoError.TimedOut;
        Answer();
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
            : _host.AddressOf(remote.AddressFamily);
        return new IPEndPoint(address, local?.Port ?? _host.Ports.NextEphemeral());
    }

    private void ReleaseAddress()
    {
        if (_reserved is { } bound) _host.Ports.Release(bound);
    }

    private void End()
    {
        _isOver = true;
        IsReady = false;
        _host.Remove(this);
    }
}
