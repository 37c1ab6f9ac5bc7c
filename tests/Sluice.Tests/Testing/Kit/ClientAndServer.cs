using Sluice.Testing;

namespace Sluice.Tests.Testing.Kit;

/// <summary>Two hosts, a server on one and a client of it on the other, with recording protocols at both ends.</summary>
internal sealed class ClientAndServer : IDisposable
{
    public ClientAndServer(SimulationOptions? options = null, int seed = 1)
    {
        Simulation = new Simulation(seed, options ?? SimulationOptions.Faithful);
        Client = Simulation.AddHost("client");
        Server = Simulation.AddHost("server");
        Server.Start(loop => loop.CreateServerAsync(() => Accepted, "0.0.0.0", 80));
    }

    public Simulation Simulation { get; }

    public SimulatedHost Client { get; }

    public SimulatedHost Server { get; }

    /// <summary>The protocol of the client.</summary>
    public RecordingProtocol Connected { get; } = new();

    /// <summary>The protocol of the server.</summary>
    public RecordingProtocol Accepted { get; } = new();

    public void StartConnect() => Client.Start(loop => loop.CreateConnectionAsync(() => Connected, Server.Address.ToString(), 80));

    /// <summary>Connects, and returns when both ends are made and read.</summary>
    public void Connect()
    {
        StartConnect();
        Simulation.RunUntil(() => Connected.Made.IsCompleted && Accepted.Made.IsCompleted, TimeSpan.FromHours(1));
        Simulation.RunFor(TimeSpan.FromMilliseconds(10));
    }

    /// <summary>Runs until the protocol is lost.</summary>
    /// <returns>How long that took.</returns>
    public TimeSpan RunUntilLost(RecordingProtocol protocol)
    {
        var begun = Simulation.Time;
        Simulation.RunUntil(() => protocol.Lost.IsCompleted, TimeSpan.FromHours(1));
        return Simulation.Time - begun;
    }

    public void Dispose() => Simulation.Dispose();
}
