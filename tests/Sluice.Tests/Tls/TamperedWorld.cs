using System.Net;
using System.Security.Authentication;
using Sluice.Testing;

namespace Sluice.Tests.Tls;

/// <summary>
/// A TLS client and a TLS server in virtual time, each on a host of its own, with a relay between them. One connection after the other: the client says
/// "ping", the server "pong", then the client closes. Owned by its test.
/// </summary>
internal sealed class TamperedWorld : IDisposable
{
    private static readonly SimulationOptions Options = SimulationOptions.Faithful with { TraceLength = 0, StepLimit = long.MaxValue };

    /// <summary>What the client's program waits for an answer after the handshake.</summary>
    private static readonly TimeSpan ClientPatience = TimeSpan.FromSeconds(5);

    /// <summary>More than the longest deadline, that of a client's handshake, and the longest linger together.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(64);

    private readonly Simulation _simulation = new(1, Options);
    private readonly SimulatedHost _server;
    private readonly SimulatedHost _client;
    private readonly WireRelay _relay;
    private readonly TlsClientOptions _clientOptions;
    private readonly int _listeners;
    private readonly List<string> _reports = [];
    private readonly Dictionary<SimulatedHost, int> _passes = [];
    private TamperedRun _run = new();

    /// <summary>With nothing tampered with yet.</summary>
    /// <param name="version">The version that both speak.</param>
    public TamperedWorld(SslProtocols version)
    {
        _server = _simulation.AddHost("server");
        var between = _simulation.AddHost("relay");
        _client = _simulation.AddHost("client");
        _relay = new WireRelay(between, new IPEndPoint(_server.Address, 443));
        _clientOptions = TlsParties.Client(version, TlsParties.ClientCertificate);
        foreach (var host in (SimulatedHost[])[_server, _client]) host.Loop.ExceptionHandler = (_, context) => _reports.Add($"{host.Name}: {context}");
        _simulation.PassEnded = host => _passes[host] = _passes.GetValueOrDefault(host) + 1;

        var serving = TlsParties.Server(version, requires: true);
        _simulation.Run(_server, loop => loop.CreateServerAsync(CreateServed, new IPEndPoint(IPAddress.Any, 443), new ServerOptions { Tls = serving }));
        _simulation.Run(between, _ => _relay.ServeAsync(443));
        _listeners = _simulation.Network.OpenSockets.Count;
    }

    /// <summary>What one end has sent in the last connection.</summary>
    public ReadOnlySpan<byte> SentBy(bool client) => _relay.SentBy(client);

    /// <summary>Makes one connection, and waits until nothing of it is left.</summary>
    /// <param name="tamper">What the relay does to it.</param>
    /// <returns>What came of it; null where the connection ended before there was anything to tamper with.</returns>
    public TamperedRun? Run(Tamper? tamper)
    {
        var run = _run = new TamperedRun();
        var began = _simulation.Time;
        _relay.Tamper = tamper;
        WatchReaction(tamper, run);
        var connecting = _client.Loop.InvokeAsync(() => ConnectAsync(run));
        _simulation.RunUntil(() => connecting.IsCompleted && IsOver(run.Client) && IsOver(run.Server) && IsReleased, Limit);
        connecting.GetAwaiter().GetResult();
        run.Duration = _simulation.Time - began;
        Assert.Empty(_reports);
        Assert.Empty(run.Client?.Violations ?? []);
        Assert.Empty(run.Server?.Violations ?? []);
        return tamper is null || _relay.HasTampered ? run : null;
    }

    public void Dispose() => _simulation.Dispose();

    /// <summary>What is made is lost, too: exactly once, or the protocol's record would have noted a violation.</summary>
    private static bool IsOver(RecordingProtocol? protocol) => protocol is null or { Trace.Count: 0 } || protocol.Lost.IsCompleted;

    private bool IsReleased => _simulation.Network.OpenSockets.Count == _listeners;

    private RecordingProtocol CreateServed()
    {
        var served = new RecordingProtocol();
        served.OnData = _ => served.Transport.Write("pong"u8);
        return _run.Server = served;
    }

    private async Task ConnectAsync(TamperedRun run)
    {
        try
        {
            await _client.Loop.CreateConnectionAsync(
                () =>
                {
                    run.Client = new RecordingProtocol();
                    run.Client.OnMade = transport =>
                    {
                        transport.Write("ping"u8);
                        var giveUp = _client.Loop.CallLater(ClientPatience, () => GiveUp(run));
                        run.Client.OnLost = _ => giveUp.Cancel();
                    };
                    run.Client.OnData = _ => run.Client.Transport.Close();
                    return run.Client;
                },
                new IPEndPoint(_relay.Address, 443),
                new ConnectionOptions { Tls = _clientOptions });
        }
        catch (Exception exception)
        {
            run.ConnectFailure = exception;
        }
    }

    private static void GiveUp(TamperedRun run)
    {
        run.GaveUp = true;
        run.Client!.Transport.Abort();
    }

    private void WatchReaction(Tamper? tamper, TamperedRun run)
    {
        var (at, passes) = (TimeSpan.Zero, 0);
        _relay.Tampered = () => (at, passes) = (_simulation.Time, PassesOfWaiting());
        _relay.Ended = fromClient =>
        {
            if (!_relay.HasTampered || fromClient == tamper?.FromClient || run.Reaction is not null) return;
            run.Reaction = _simulation.Time - at;
            run.Passes = PassesOfWaiting() - passes;
        };

        int PassesOfWaiting() => _passes.GetValueOrDefault(tamper?.FromClient == true ? _server : _client);
    }
}
