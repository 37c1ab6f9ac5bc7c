using System.Net;
using Sluice.Testing;

namespace Sluice.Tests.Testing.Kit;

/// <summary>Two hosts, a datagram endpoint at port 53 of one and an endpoint on the other that is connected to it, with recording protocols.</summary>
internal sealed class TwoEndpoints : IDisposable
{
    public TwoEndpoints(SimulationOptions? options = null, int seed = 1)
    {
        Simulation = new Simulation(seed, options ?? SimulationOptions.Faithful);
        Client = Simulation.AddHost("client");
        Server = Simulation.AddHost("server");
        Server.Start(loop => loop.CreateDatagramEndpointAsync(() => Far = new RecordingDatagramProtocol(), new IPEndPoint(Server.Address, 53)));
        Simulation.RunFor(TimeSpan.FromMilliseconds(1));
        Simulation.Run(Client, async loop => Near = (await loop.CreateDatagramEndpointAsync(static () => new RecordingDatagramProtocol(), remote: new IPEndPoint(Server.Address, 53))).Protocol);
    }

    public Simulation Simulation { get; }

    public SimulatedHost Client { get; }

    public SimulatedHost Server { get; }

    /// <summary>The client's protocol.</summary>
    public RecordingDatagramProtocol Near { get; private set; } = null!;

    /// <summary>The server's protocol: after a restart another one.</summary>
    public RecordingDatagramProtocol Far { get; private set; } = null!;

    /// <summary>The numbers in the datagrams that the server got, in their order.</summary>
    public IEnumerable<int> Numbers => Far.Datagrams.Select(static datagram => BitConverter.ToInt32(datagram.Data.Span));

    /// <summary>Sends numbers from zero on, and lets all arrive that does.</summary>
    public void SendNumbers(int count, TimeSpan? apart = null)
    {
        for (var i = 0; i < count; i++)
        {
            Near.Transport.SendTo(BitConverter.GetBytes(i));
            if (apart is { } time) Simulation.RunFor(time);
        }

        Simulation.RunFor(TimeSpan.FromSeconds(10));
    }

    public void Dispose() => Simulation.Dispose();
}
