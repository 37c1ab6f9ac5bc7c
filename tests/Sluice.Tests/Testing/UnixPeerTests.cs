using System.Net.Sockets;
using Sluice.Testing;

namespace Sluice.Tests.Testing;

/// <summary>A stranger at a simulated host's Unix sockets.</summary>
public sealed class UnixPeerTests
{
    private static readonly PeerCredentials Stranger = new(4711, 2000, 2000);

    [Fact, Case("UNIX-025")]
    public void At_an_abstract_name_a_stranger_is_admitted_by_a_filter_only()
    {
        Assert.False(IsServed("\0name", filter: null));
        Assert.True(IsServed("\0name", static peer => peer == Stranger));
        Assert.True(IsServed("/path", filter: null));
        Assert.False(IsServed("/path", static peer => peer.UserId == 1000));
    }

    private static bool IsServed(string name, Func<PeerCredentials, bool>? filter)
    {
        using var simulation = new Simulation(seed: 3);
        var host = simulation.AddHost("host");
        host.ClientCredentials = Stranger;
        var client = new RecordingProtocol();
        simulation.Run(host, async loop =>
        {
            await using var server = await loop.CreateServerAsync(
                RecordingProtocol.Echo, new UnixDomainSocketEndPoint(name), new ServerOptions { UnixPeerFilter = filter });
            var (transport, _) = await loop.CreateConnectionAsync(() => client, server.EndPoints[0]);
            Assert.Equal(host.Credentials, transport.GetExtraInfo(ExtraInfo.PeerCredentials));
            transport.Write("hello"u8);
            await Task.WhenAny(client.Lost, client.WaitForBytesAsync(5));
            transport.Close();
            await client.Lost;
        });
        return client.Received.Length == 5;
    }
}
