using Sluice.Testing;

namespace Sluice.Tests.Serving;

/// <summary>Servers on a system that does not let them share a port.</summary>
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
}
