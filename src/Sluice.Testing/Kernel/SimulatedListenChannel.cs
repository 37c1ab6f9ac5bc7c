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
    private readonly SimulatedListener _listener;
    private readonly bool _removesFile;
    private bool _isAccepting;
    private bool _isResting;
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
        host.Add(this);
    }

    public override EndPoint LocalName => _listener.LocalName;

    public override SimulatedTransportSocket Socket { get; }

    public bool IsReady => _isAccepting && !_isResting && !_isClosed && _listener.Backlog.Count > 0;

    public override void StartAccepting()
    {
        if (_isClosed) _host.Network.Violated("StartAccepting was called after Close");
        if (_isAccepting) return;
        _isAccepting = true;
        _listener.Listen(_options.Backlog);
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
        for (var left = AcceptsPerPoll; left > 0 && IsReady; left--)
        {
            if (_host.Faults.TryTakeAccept(out var error))
            {
                if (error.IsOutOfResources) TakeRest();
                _sink.OnAcceptFailed(error);
                continue;
            }

            var channel = new SimulatedStreamChannel(_host, _listener.Backlog.Dequeue(), _options);
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
