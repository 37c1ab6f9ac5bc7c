using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Primitives;

namespace Sluice.Testing.Kernel.Streams;

/// <summary>A listening socket of a simulated host, with its backlog; it accepts by the rules of the real ones. Owned by its server.</summary>
internal sealed class SimulatedListenChannel : ListenChannel, ISimulatedSource
{
    private readonly SimulatedBackend _host;
    private readonly ServerOptions _options;
    private readonly IListenSink _sink;
    private readonly SimulatedListener _listener;
    private readonly bool _removesFile;
    private bool _isAccepting;
    private bool _isResting;
    private bool _isFinishing;

    /// <summary>How many more it takes while it finishes.</summary>
    private int _left;
    private bool _isClosed;

    /// <param name="host">Whose channel it is.</param>
    /// <param name="listener">The bound socket, of which the caller gives up its hold.</param>
    /// <param name="removesFile">Whether a Unix socket's file goes when this closes.</param>
    /// <param name="options">How it listens.</param>
    /// <param name="sink">Hears of connections.</param>
    public SimulatedListenChannel(SimulatedBackend host, SimulatedListener listener, bool removesFile, ServerOptions options, IListenSink sink)
    {
        _host = host;
        _options = options;
        _sink = sink;
        _listener = listener;
        _removesFile = removesFile;
        Socket = new SimulatedTransportSocket(host.Network.NextDescriptor(), LocalName, peer: null);
        Dice = host.Network.NewDice();
        host.Add(this);
    }

    public override EndPoint LocalName => _listener.LocalName;

    public override SimulatedTransportSocket Socket { get; }

    public KernelDice Dice { get; }

    /// <summary>How many connections wait to be accepted.</summary>
    public int Waiting => _listener.Backlog.Count;

    /// <summary>It goes on without this channel, and what waits there is for others to serve.</summary>
    public bool IsBorrowed { get; init; }

    public bool IsReady => _isAccepting && !_isResting && !_isClosed && (_isFinishing || _listener.Backlog.Count > 0);

    /// <summary>Sets what the options ask for on a socket of the server's own; one that existed before keeps what it has.</summary>
    public void SetOptions()
    {
        if (LocalName is not IPEndPoint) return;
        Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, _options.ReuseAddress ?? true ? 1 : 0);
        Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, _options.KeepAlive ? 1 : 0);
        Socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay, _options.NoDelay ? 1 : 0);
    }

    public override void StartAccepting()
    {
        if (_isClosed) _host.Network.Violated("StartAccepting was called after Close");
        if (_isAccepting) return;
        _isAccepting = true;
        _listener.Listen(_options.Backlog);
    }

    public override bool Finish()
    {
        if (!_isAccepting || _isClosed || IsBorrowed)
        {
            Close();
            return false;
        }

        _left = _listener.Size + 1;
        return _isFinishing = true;
    }

    public override void Close()
    {
        if (_isClosed) return;
        _isClosed = true;
        if (_removesFile) _listener.RemoveFile();
        _listener.LetGo();
        _host.Remove(this);
        Socket.MarkClosed();
    }

    public bool Report()
    {
        for (var left = AcceptRules.PerPoll; left > 0 && IsReady && Waiting > 0; left--)
        {
            if (!AcceptOne()) break;
            _left--;
        }

        if (!_isFinishing || _isClosed || _isResting || (Waiting > 0 && _left > 0)) return true;
        Close();
        _sink.OnFinished();
        return true;
    }

    public override string ToString() => $"connections to {LocalName}";

    private bool AcceptOne()
    {
        if (_host.Faults.TryTakeAccept(out var error)) return AfterFailure(error);
        var socket = _listener.Backlog.Dequeue();
        _host.Network.Trace.Add(KernelEvent.Accept, socket.Id, 0, socket);
        socket.ReceiveLowWater = 1;
        var channel = new SimulatedStreamChannel(_host, socket, _options);
        _sink.OnAccepted(channel);
        if (!channel.IsOwned) _host.Network.Violated("an accepted channel was neither attached nor closed in OnAccepted");
        return true;
    }

    private bool AfterFailure(IoError error)
    {
        var verdict = AcceptRules.Judge(error);
        if (verdict != AcceptVerdict.Rest) return verdict == AcceptVerdict.TryNext;
        if (AcceptRules.TurnsOneAway(error) && _host.CutOldest()) return true;
        if (AcceptRules.TurnsOneAway(error)) _listener.Backlog.Dequeue().Release(reset: false);
        _isResting = true;
        _host.Network.Schedule(_host.Clock.Now + AcceptRules.Rest, () => _isResting = false);
        _sink.OnAcceptFailed(error);
        return false;
    }
}
