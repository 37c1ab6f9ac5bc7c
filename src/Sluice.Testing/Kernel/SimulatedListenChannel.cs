using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel;

/// <summary>A listening socket of a simulated host, with its backlog; it accepts by the rules of the real ones. Owned by its server.</summary>
internal sealed class SimulatedListenChannel : ListenChannel, ISimulatedSource
{
    private readonly SimulatedBackend _host;
    private readonly ServerOptions _options;
    private readonly IListenSink _sink;
    private readonly Queue<SimulatedSocket> _backlog = new();
    private bool _isAccepting;
    private bool _isResting;
    private bool _isClosed;

    public SimulatedListenChannel(SimulatedBackend host, EndPoint local, ServerOptions options, IListenSink sink)
    {
        _host = host;
        _options = options;
        _sink = sink;
        LocalName = local;
        Socket = new SimulatedTransportSocket(host.Network.NextDescriptor(), local, peer: null);
        if (local is IPEndPoint) SetOptions();
        Dice = host.Network.NewDice();
        host.Add(this);
    }

    public override EndPoint LocalName { get; }

    public override SimulatedTransportSocket Socket { get; }

    public KernelDice Dice { get; }

    /// <summary>How many connections wait to be accepted.</summary>
    public int Waiting => _backlog.Count;

    public bool HasRoom => _backlog.Count < _options.Backlog;

    public bool IsReady => _isAccepting && !_isResting && !_isClosed && _backlog.Count > 0;

    public override void StartAccepting()
    {
        if (_isClosed) _host.Network.Violated("StartAccepting was called after Close");
        if (_isAccepting) return;
        _isAccepting = true;
        _host.Ports.Listen(this);
    }

    public override void Close()
    {
        if (_isClosed) return;
        _isClosed = true;
        _host.Ports.Release(this);
        _host.Remove(this);
        Socket.MarkClosed();
        while (_backlog.TryDequeue(out var socket)) socket.Release(reset: true);
    }

    /// <summary>A connection has come in.</summary>
    public void Enqueue(SimulatedSocket socket) => _backlog.Enqueue(socket);

    public bool Report()
    {
        for (var left = AcceptRules.PerPoll; left > 0 && IsReady; left--)
        {
            if (!AcceptOne()) break;
        }

        return true;
    }

    public override string ToString() => $"connections to {LocalName}";

    private bool AcceptOne()
    {
        if (_host.Faults.TryTakeAccept(out var error)) return AfterFailure(error);
        var channel = new SimulatedStreamChannel(_host, _backlog.Dequeue(), _options);
        _sink.OnAccepted(channel);
        if (!channel.IsOwned) _host.Network.Violated("an accepted channel was neither attached nor closed in OnAccepted");
        return true;
    }

    private bool AfterFailure(IoError error)
    {
        var verdict = AcceptRules.Judge(error);
        if (verdict != AcceptVerdict.Rest) return verdict == AcceptVerdict.TryNext;
        if (AcceptRules.TurnsOneAway(error)) _backlog.Dequeue().Release(reset: false);
        _isResting = true;
        _host.Network.Schedule(_host.Clock.Now + AcceptRules.Rest, () => _isResting = false);
        _sink.OnAcceptFailed(error);
        return false;
    }

    private void SetOptions()
    {
        Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, _options.ReuseAddress ?? true ? 1 : 0);
        Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, _options.KeepAlive ? 1 : 0);
        Socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, _options.NoDelay ? 1 : 0);
    }
}
