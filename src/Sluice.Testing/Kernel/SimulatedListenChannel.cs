using System.Net;
using Sluice.Backends;

namespace Sluice.Testing.Kernel;

/// <summary>A listening socket of a simulated host, with its backlog. Owned by its server.</summary>
internal sealed class SimulatedListenChannel : ListenChannel, ISimulatedSource
{
    private const int AcceptsPerPoll = 16;
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

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
        for (var left = AcceptsPerPoll; left > 0 && IsReady; left--)
        {
            if (_host.Faults.TryTakeAccept(out var error))
            {
                if (error.IsOutOfResources) TakeRest();
                _sink.OnAcceptFailed(error);
                continue;
            }

            var channel = new SimulatedStreamChannel(_host, _backlog.Dequeue(), _options);
            _sink.OnAccepted(channel);
            if (!channel.IsOwned) _host.Network.Violated("an accepted channel was neither attached nor closed in OnAccepted");
        }

        return true;
    }

    public override string ToString() => $"connections to {LocalName}";

    private void TakeRest()
    {
        _isResting = true;
        _host.Network.Schedule(_host.Clock.Now + Rest, () => _isResting = false);
    }
}
