using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Datagrams.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Datagrams;

/// <summary>An endpoint that is flooded shares its loop with others.</summary>
public sealed class DatagramFairnessTests
{
    [Fact]
    public void A_pass_delivers_sixty_four_datagrams_of_an_endpoint_at_most() => DatagramRun.OnLoop(static async run =>
    {
        const int Count = 200;
        var perPass = new Dictionary<long, int>();
        var hearer = new Hearer { OnDatagram = (_, _) => perPass[run.Loop.Core.Passes] = perPass.GetValueOrDefault(run.Loop.Core.Passes) + 1 };
        await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), hearer: hearer);
        using var peer = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        for (var i = 0; i < Count; i++) peer.SendTo([1], DatagramRun.NameOf(hearer));
        await hearer.WaitForAsync(Count);
        Assert.All(perPass.Values, static count => Assert.InRange(count, 1, 64));
    });

    [Fact]
    public void A_pass_delivers_a_quarter_of_a_mebibyte_of_an_endpoint_and_one_datagram_more_at_most() => DatagramRun.OnLoop(static async run =>
    {
        var perPass = new Dictionary<long, int>();
        var hearer = new Hearer { OnDatagram = (data, _) => perPass[run.Loop.Core.Passes] = perPass.GetValueOrDefault(run.Loop.Core.Passes) + data.Length };
        var (first, second) = SocketPair.CreateDatagram();
        using var peer = second;
        first.ReceiveBufferSize = second.SendBufferSize = 4 * 1024 * 1024;
        for (var i = 0; i < 8; i++) peer.Send(new byte[60_000]);
        await run.Loop.CreateDatagramEndpointAsync(() => hearer, first);
        await hearer.WaitForAsync(8);
        Assert.All(perPass.Values, static bytes => Assert.InRange(bytes, 1, 256 * 1024 + 60_000));
    });

    [Fact]
    public void A_flood_of_datagrams_does_not_starve_a_stream_on_the_same_loop() => DatagramRun.OnLoop(static async run =>
    {
        const int Rounds = 200;
        // Two endpoints that never let each other rest.
        var ping = Hearer.Echo();
        var pong = Hearer.Echo();
        await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), hearer: ping);
        await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), hearer: pong);
        for (var i = 0; i < 100; i++) ping.Transport.SendTo(""u8, DatagramRun.NameOf(pong));

        var server = await run.Loop.CreateServerAsync(RecordingProtocol.Echo, new IPEndPoint(IPAddress.Loopback, 0));
        var (transport, client) = await run.Loop.CreateConnectionAsync(static () => new RecordingProtocol(), server.EndPoints[0]);
        var before = run.Loop.Core.Passes;
        for (var i = 1; i <= Rounds; i++)
        {
            transport.Write("x"u8);
            await client.WaitForBytesAsync(i);
        }

        Assert.InRange(run.Loop.Core.Passes - before, Rounds, 20 * Rounds);
        Assert.True(ping.Datagrams.Count > Rounds);
        transport.Close();
        ping.Transport.Abort();
        pong.Transport.Abort();
        server.Close();
    });
}
