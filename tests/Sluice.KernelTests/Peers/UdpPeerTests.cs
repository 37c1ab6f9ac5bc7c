using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Datagrams.Kit;

namespace Sluice.KernelTests.Peers;

/// <summary>Our datagram endpoints against CPython's and nc -u.</summary>
public sealed class UdpPeerTests
{
    private const string Script = "udp_peer.py";

    private static readonly int[] Sizes = [1, 100, 1_472, 9_000, 65_507];

    [Fact, Case("UDP-024")]
    public void An_asyncio_asker_gets_its_datagrams_back() => DatagramRun.OnLoop(static async run =>
    {
        var echo = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), hearer: Hearer.Echo());
        using var peer = PeerProcess.Python(Script, "ask", $"{((IPEndPoint)DatagramRun.NameOf(echo)).Port}");
        Assert.Equal("unchanged 6", await peer.ReadToEndAsync());
        Assert.Empty(echo.Datagrams[0]);
        Assert.Single(echo.Senders.Distinct());
    });

    [Fact, Case("UDP-024")]
    public void An_asyncio_echo_sends_our_datagrams_back() => DatagramRun.OnLoop(static async run =>
    {
        using var peer = PeerProcess.Python(Script, "serve");
        var asker = await run.OpenAsync(remote: new IPEndPoint(IPAddress.Loopback, await peer.ReadPortAsync()));
        for (var i = 0; i < Sizes.Length; i++)
        {
            var data = Enumerable.Range(0, Sizes[i]).Select(static index => (byte)(index % 251)).ToArray();
            asker.Transport.SendTo(data);
            await asker.WaitForAsync(i + 1);
            Assert.Equal(data, asker.Datagrams[i]);
        }

        peer.Input.Close();
        await peer.ReadToEndAsync();
    });

    [Fact, Case("UDP-024")]
    public void Lines_typed_into_nc_come_back_one_by_one() => DatagramRun.OnLoop(static async run =>
    {
        var echo = await run.OpenAsync(DatagramRun.Any(AddressFamily.InterNetwork), hearer: Hearer.Echo());
        using var nc = PeerProcess.Start("nc", "-u", "127.0.0.1", $"{((IPEndPoint)DatagramRun.NameOf(echo)).Port}");
        foreach (var line in (string[])["hello", "again"])
        {
            await nc.Input.WriteLineAsync(line);
            await nc.Input.FlushAsync();
            Assert.Equal(line, await nc.ReadLineAsync());
        }

        Assert.Equal(2, echo.Datagrams.Count);
    });
}
