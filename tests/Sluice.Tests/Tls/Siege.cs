using System.Net;
using Sluice.Testing;

namespace Sluice.Tests.Tls;

/// <summary>A TLS server in virtual time, many peers that do not finish their handshakes, and good clients beside them. Owned by its test.</summary>
internal sealed class Siege : IDisposable
{
    private readonly List<string> _reports = [];

    public Siege(TlsServerOptions? tls = null, int? maxConnections = null)
    {
        ServerHost = Simulation.AddHost("server");
        Attacker = Simulation.AddHost("attacker");
        Client = Simulation.AddHost("client");
        ServerHost.Loop.ExceptionHandler = (_, context) => _reports.Add(context.ToString());
        Address = new IPEndPoint(ServerHost.Address, 443);
        Simulation.Run(ServerHost, async loop => Server = await loop.CreateServerAsync(
            Create, new IPEndPoint(IPAddress.Any, 443), new ServerOptions { Tls = tls ?? TlsParties.Server(), MaxConnections = maxConnections }));
    }

    public Simulation Simulation { get; } = new(1, SimulationOptions.Faithful with { TraceLength = 0, StepLimit = long.MaxValue });

    public SimulatedHost ServerHost { get; }

    public SimulatedHost Attacker { get; }

    public SimulatedHost Client { get; }

    public IPEndPoint Address { get; }

    public Server Server { get; private set; } = null!;

    /// <summary>The server's protocols that heard of a connection.</summary>
    public List<RecordingProtocol> Served { get; } = [];

    /// <summary>Opens connections without TLS, and has each do something.</summary>
    /// <returns>Their protocols, and when each was made and lost.</returns>
    public List<Assailant> Attack(int count, Action<EventLoop, ITransport>? act = null)
    {
        var assailants = new List<Assailant>();
        Simulation.Run(Attacker, async loop =>
        {
            for (var i = 0; i < count; i++)
            {
                var assailant = new Assailant(loop);
                assailants.Add(assailant);
                var (transport, _) = await loop.CreateConnectionAsync(() => assailant.Protocol, Address);
                if (!transport.IsClosing) act?.Invoke(loop, transport);
            }
        });
        return assailants;
    }

    /// <summary>Connects a good client, has "hello" come back, and says goodbye.</summary>
    /// <returns>How long that took.</returns>
    public TimeSpan Greet()
    {
        var begun = Simulation.Time;
        Simulation.Run(Client, async loop =>
        {
            var (transport, client) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), Address, new ConnectionOptions { Tls = TlsParties.Client() });
            transport.Write("hello"u8);
            await client.WaitForBytesAsync(5);
            transport.Close();
            Assert.Null(await client.Lost);
        });
        return Simulation.Time - begun;
    }

    /// <summary>Closes the server, and verifies that nothing is left, and what was reported.</summary>
    /// <param name="reports">How many reports of refused connections there are; of handshakes that failed there are none.</param>
    public void End(int reports = 0)
    {
        Simulation.Run(ServerHost, async _ =>
        {
            Server.Close();
            await Server.WaitClosedAsync();
        });
        Simulation.RunFor(TimeSpan.FromSeconds(5));
        Assert.Empty(Simulation.Network.OpenSockets);
        Assert.Equal(reports, _reports.Count);
        foreach (var protocol in Served) Assert.Empty(protocol.Violations);
    }

    public void Dispose() => Simulation.Dispose();

    private RecordingProtocol Create()
    {
        var echo = RecordingProtocol.Echo();
        echo.OnMade = _ => Served.Add(echo);
        return echo;
    }
}

/// <summary>A connection of an attacker's.</summary>
internal sealed class Assailant
{
    public Assailant(EventLoop loop)
    {
        Protocol = new RecordingProtocol
        {
            OnMade = _ => Made = loop.Time,
            OnLost = exception =>
            {
                Lasted = loop.Time - Made;
                Reason = exception;
            },
        };
    }

    public RecordingProtocol Protocol { get; }

    public TimeSpan Made { get; private set; }

    /// <summary>How long the server bore it; null while it does.</summary>
    public TimeSpan? Lasted { get; private set; }

    public Exception? Reason { get; private set; }
}
