using System.Net;
using System.Net.Sockets;
using Sluice.Testing;

namespace Sluice.Tests.Connecting;

/// <summary>Names and addresses of a simulation.</summary>
public sealed class SimulatedAddressTests
{
    [Fact, Case("DNS-001", "DNS-003", "DNS-007")]
    public void Names_and_addresses_are_known_to_all_hosts()
    {
        using var simulation = new Simulation(seed: 1);
        var alice = simulation.AddHost("alice");
        var bob = simulation.AddHost("bob");
        simulation.AddName("both", bob.AddressV6, bob.Address);

        simulation.Run(alice, async loop =>
        {
            Assert.Equal([new IPEndPoint(bob.Address, 80)], await loop.GetAddressInfoAsync("bob", 80));
            Assert.Equal([new IPEndPoint(bob.AddressV6, 80)], await loop.GetAddressInfoAsync("BOB", 80, AddressFamily.InterNetworkV6));
            Assert.Equal([new IPEndPoint(bob.AddressV6, 80), new IPEndPoint(bob.Address, 80)], await loop.GetAddressInfoAsync("both", 80));
            Assert.Equal([new IPEndPoint(bob.Address, 80)], await loop.GetAddressInfoAsync("both", 80, AddressFamily.InterNetwork));
            Assert.Equal([new IPEndPoint(IPAddress.IPv6Loopback, 80)], await loop.GetAddressInfoAsync("localhost", 80, AddressFamily.InterNetworkV6));
            var unknown = await Assert.ThrowsAsync<SocketException>(() => loop.GetAddressInfoAsync("carol", 80));
            Assert.Equal(SocketError.HostNotFound, unknown.SocketErrorCode);

            Assert.Equal("bob", (await loop.GetNameInfoAsync(new IPEndPoint(bob.AddressV6, 80))).Host);
            Assert.Equal("10.9.9.9", (await loop.GetNameInfoAsync(new IPEndPoint(IPAddress.Parse("10.9.9.9"), 80))).Host);
        });
    }

    [Fact, Case("CONN-022", "CONN-024")]
    public void A_local_port_is_in_use_until_its_connection_is_closed()
    {
        using var simulation = new Simulation(seed: 1);
        var host = simulation.AddHost("host");
        simulation.Run(host, async loop =>
        {
            var server = await loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(host.AddressV6, 80));
            var options = new ConnectionOptions { LocalEndPoint = new IPEndPoint(host.AddressV6, 4000) };
            for (var round = 0; round < 2; round++)
            {
                var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0], options);
                Assert.Equal(options.LocalEndPoint, transport.GetExtraInfo(ExtraInfo.SocketName));

                var taken = await Assert.ThrowsAsync<SocketException>(
                    () => loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0], options));
                Assert.Equal(SocketError.AddressAlreadyInUse, taken.SocketErrorCode);

                transport.Close();
                await protocol.Lost;
                await Task.Delay(TimeSpan.FromSeconds(4), loop.TimeProvider);
            }

            server.Close();
        });
    }

    [Fact]
    public void An_address_is_out_of_reach_for_as_long_as_it_is_told_to()
    {
        using var rig = new DialRig();
        rig.Simulation.MakeUnreachable(rig.Server.Address);
        Assert.EndsWith("No route to host", rig.Connect(new ConnectionOptions(), rig.Server.Address), StringComparison.Ordinal);

        rig.Simulation.MakeSilent(rig.Server.Address);
        Assert.EndsWith("Connection timed out", rig.Connect(new ConnectionOptions(), rig.Server.Address), StringComparison.Ordinal);

        rig.Simulation.MakeReachable(rig.Server.Address);
        Assert.Equal(rig.Server.Address.ToString(), rig.Connect(new ConnectionOptions(), rig.Server.Address));
    }
}
