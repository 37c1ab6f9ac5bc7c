using System.Net;
using Sluice.Backends;
using Sluice.Primitives;
using Sluice.Testing.Kernel.Links;

namespace Sluice.Testing.Kernel.Streams;

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
    private EndPoint? _name;
    private readonly KernelDice _dice;
    private readonly TimeSpan _end;
    private TimeSpan _retryAfter = RetryAfter;
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
        _end = host.Clock.Now + Patience;
        host.Add(this);
        host.Network.Trace.Add(KernelEvent.Connect, host.Machine.Number, 0, this);
        host.Machine.Connecting?.Invoke(remote);
        if (!TryBind()) Answer();
        else if (remote is IPEndPoint ip && host.Network.Drops(ip.Address)) host.Network.Schedule(_end, TimeOut);
        else Send();
    }

    public EndPoint? Local => _name;

    public EndPoint Remote => _remote;

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

    /// <summary>Nobody waits for it any more.</summary>
    private bool IsDead => _isOver || _host.IsAbandoned;

    private Station Own => new(_host.Machine, _name);

    private SimulatedMachine? Target => _remote is IPEndPoint ip ? _host.Network.Find(_host.Machine, ip.Address) : _host.Machine;

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

    /// <summary>The first packet leaves, or leaves again.</summary>
    private void Send()
    {
        if (IsDead) return;
        _name ??= ClientName();
        if (Target is not { } target)
        {
            Travel(Arrive);
            return;
        }

        var verdict = Judge(Own, new Station(target, _remote), PacketKind.Connect);
        switch (verdict.Outcome)
        {
            case Verdict.Fate.Drop:
                Retry(Send);
                break;
            case Verdict.Fate.Reset:
                _error = IoError.ConnectionRefused;
                Travel(target, default, Answer);
                break;
            default:
                Travel(target, verdict.Delay, Arrive);
                break;
        }
    }

    /// <summary>The first packet is at the other host.</summary>
    private void Arrive()
    {
        if (IsDead) return;
        var target = Target;
        if (target is { IsDown: true })
        {
            Retry(Send);
            return;
        }

        if (_host.Faults.TryTakeConnect(out _error) || FindListener() is not { } listener)
        {
            Refuse(target);
            return;
        }

        if (!listener.HasRoom)
        {
            if (_remote is not IPEndPoint)
            {
                _error = IoError.WouldBlock;
                Travel(Answer);
                return;
            }

            // A full backlog drops the packet; TCP sends it again.
            _host.Network.Schedule(_host.Clock.Now + RetryAfter, Arrive);
            return;
        }

        var (client, server) = _host.Network.Connect(_remote is not IPEndPoint, Own, new Station(target ?? _host.Machine, _remote), _dice);
        if (client.IsUnix) (client.PeerCredentials, server.PeerCredentials) = (_host.Machine.Credentials, _host.Machine.ClientCredentials ?? _host.Machine.Credentials);
        _socket = client;
        (server.Linger, server.ReceiveLowWater) = (listener.Linger, listener.ReceiveLowWater);
        listener.Backlog.Enqueue(server);
        Accept();
    }

    /// <summary>The other host, once it is known, answers that nobody listens; nobody else can.</summary>
    private void Refuse(SimulatedMachine? target)
    {
        if (target is null)
        {
            Travel(Answer);
            return;
        }

        var verdict = Judge(new Station(target, _remote), Own, PacketKind.Reset);
        if (verdict.Outcome == Verdict.Fate.Drop) Retry(Send);
        else Travel(target, verdict.Delay, Answer);
    }

    /// <summary>The answer of the listener leaves, or leaves again.</summary>
    private void Accept()
    {
        if (IsDead || _socket is not { } socket) return;
        if (socket.IsUnix)
        {
            Travel(Answer);
            return;
        }

        if (socket.Peer.IsVanished)
        {
            ForgetSocket();
            Retry(Send);
            return;
        }

        var verdict = Judge(socket.Peer.Station, Own, PacketKind.Accepted);
        switch (verdict.Outcome)
        {
            case Verdict.Fate.Drop:
                Retry(Accept);
                break;
            case Verdict.Fate.Reset:
                socket.Peer.TakeReset();
                ForgetSocket();
                Retry(Send);
                break;
            default:
                Travel(socket.Peer.Machine, verdict.Delay, Answer);
                break;
        }
    }

    /// <summary>The answer is here.</summary>
    private void Answer() => IsReady = !_isOver;

    private void TimeOut()
    {
        if (_isOver || IsReady) return;
        _socket?.Release(reset: true);
        _socket = null;
        _error = IoError.TimedOut;
        Answer();
    }

    /// <summary>A packet is lost: Linux sends the first one again after 1, 2, 4, … seconds.</summary>
    private void Retry(Action send)
    {
        var due = _host.Clock.Now + _retryAfter;
        _retryAfter *= 2;
        if (due < _end) _host.Network.Schedule(due, send);
        else _host.Network.Schedule(_end, TimeOut);
    }

    private Verdict Judge(Station from, Station to, PacketKind kind) => _remote is not IPEndPoint
        ? Verdict.Pass
        : _host.Network.Judge(_host.Network.LinkBetween(from.Machine, to.Machine), from, to, kind, 0, _dice, _host.Machine.Number);

    private void Travel(SimulatedMachine target, TimeSpan delay, Action then)
    {
        if (_remote is not IPEndPoint) Travel(then);
        else _host.Network.Schedule(_host.Clock.Now + _host.Network.LinkBetween(_host.Machine, target).TravelTime(_dice) + delay, then);
    }

    private void ForgetSocket()
    {
        _socket!.Forget();
        _socket = null;
    }

    private SimulatedListener? FindListener()
    {
        if (Target is { } target) return target.Ports.FindListener(_remote, out _error);
        _error = IoError.HostUnreachable;
        return null;
    }

    private EndPoint? ClientName()
    {
        if (_remote is not IPEndPoint remote) return _local;
        var local = _local as IPEndPoint;
        var address = local is not null && !local.Address.Equals(IPAddress.Any) && !local.Address.Equals(IPAddress.IPv6Any) ? local.Address
            : IPAddress.IsLoopback(remote.Address) ? remote.Address
            : _host.Machine.AddressOf(remote.AddressFamily);
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
