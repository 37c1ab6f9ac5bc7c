using Sluice.Testing;

namespace Sluice.Tests.Serving;

/// <summary>Servers and datagram endpoints on a system that does not let them share a port.</summary>
public sealed class ReusePortTests
{
    [Fact, Case("SRV-018")]
    public void A_shared_port_is_refused_at_the_call_where_the_system_has_none()
    {
        using var simulation = new Simulation(1, SimulationOptions.Faithful with { SupportsReusePort = false });
        var loop = simulation.AddHost("old").Loop;
        simulation.Run(async () =>
        {
            var options = new ServerOptions { ReusePort = true };
            Assert.Throws<PlatformNotSupportedException>(() => { _ = loop.CreateServerAsync(static () => new RecordingProtocol(), "127.0.0.1", 80, options); });
            await using var server = await loop.CreateServerAsync(static () => new RecordingProtocol(), "127.0.0.1", 80);
            Assert.True(server.IsServing);
        });
    }

    [Fact, Case("UDP-036")]
    public void A_shared_port_of_a_datagram_endpoint_too()
    {
        using var simulation = new Simulation(1, SimulationOptions.Faithful with { SupportsReusePort = false });
        var loop = simulation.AddHost("old").Loop;
        simulation.Run(() =>
        {
            var options = new DatagramOptions { AddressFamily = System.Net.Sockets.AddressFamily.InterNetwork, ReusePort = true };
            Assert.Throws<PlatformNotSupportedException>(() => { _ = loop.CreateDatagramEndpointAsync(static () => new RecordingDatagramProtocol(), options: options); });
            return Task.CompletedTask;
        });
    }
}
