using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Names;

namespace Sluice.Connecting;

/// <summary>Hears how a dialer fared: one call.</summary>
internal interface IDialSink
{
    void OnConnected(StreamChannel channel);

    void OnFailed(Exception reason);
}

/// <summary>
/// The way from what a caller named to a connected channel: finds the addresses of both ends, orders them and lets them race. Owned by its
/// connector; lives on the loop's thread.
/// </summary>
internal sealed class Dialer : ILookupSink<IReadOnlyList<IPAddress>>, IRaceSink
{
    private readonly LoopServices _loop;
    private readonly AddressQuery _remote;
    private readonly AddressQuery? _local;
    private readonly ConnectionOptions _options;
    private readonly ExecutionContext? _context;
    private readonly IDialSink _sink;
    private IReadOnlyList<EndPoint>? _remotes;
    private IoOperation? _lookup;
    private ConnectRace? _race;

    /// <param name="loop">The loop.</param>
    /// <param name="remote">Where to.</param>
    /// <param name="local">Where from; null leaves it to the system.</param>
    /// <param name="options">How.</param>
    /// <param name="context">The ExecutionContext that a user's resolver is called in.</param>
    /// <param name="sink">Who hears.</param>
    public Dialer(LoopServices loop, AddressQuery remote, AddressQuery? local, ConnectionOptions options, ExecutionContext? context, IDialSink sink)
    {
        _loop = loop;
        _remote = remote;
        _local = local;
        _options = options;
        _context = context;
        _sink = sink;
    }

    public void Start()
    {
        if (_remote.Known is { } addresses) OnRemotesKnown(addresses);
        else LookUp(_remote);
    }

    /// <summary>Gives up: nothing stays open, and nobody hears of it.</summary>
    public void Cancel()
    {
        _lookup?.Cancel();
        _race?.Cancel();
    }

    void ILookupSink<IReadOnlyList<IPAddress>>.OnFound(IReadOnlyList<IPAddress> answer)
    {
        _lookup = null;
        if (_remotes is null) OnRemotesKnown(_remote.WithPort(answer));
        else Race(_local!.WithPort(answer));
        _loop.Core.EndStep();
    }

    void ILookupSink<IReadOnlyList<IPAddress>>.OnNotFound(Exception reason)
    {
        _lookup = null;
        _sink.OnFailed(reason);
        _loop.Core.EndStep();
    }

    void IRaceSink.OnWon(StreamChannel channel) => _sink.OnConnected(channel);

    void IRaceSink.OnLost(IReadOnlyList<SocketException> failures) => _sink.OnFailed(ConnectFailures.Merge(failures, _options.AllErrors));

    void IRaceSink.OnBroken(Exception reason) => _sink.OnFailed(reason);

    private void OnRemotesKnown(IReadOnlyList<EndPoint> addresses)
    {
        _remotes = addresses;
        if (_local is null) Race(null);
        else if (_local.Known is { } locals) Race(locals);
        else LookUp(_local);
    }

    private void LookUp(AddressQuery query) => _lookup = _loop.Names.Resolve(query.Host, query.Family, _context, this);

    private void Race(IReadOnlyList<EndPoint>? locals)
    {
        var lead = _options.Interleave ?? (_options.HappyEyeballsDelay is null ? 0 : 1);
        _race = new ConnectRace(_loop.Core, AddressOrder.Interleave(_remotes!, lead), locals, _options, this);
        _race.Start();
    }
}
