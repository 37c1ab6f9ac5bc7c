using System.Net;
using System.Text;
using Sluice.KernelTests.Datagrams.Kit;

namespace Sluice.KernelTests.Peers;

/// <summary>CPython's sockets with names that are no text: whoever may connect can choose one.</summary>
public sealed class StrangeNameTests
{
    private const string Script = "unix_names.py";

    [Fact, Case("UNIX-040")]
    public void A_peer_with_any_name_is_served_and_so_is_the_next() => DatagramRun.OnLoop(static async run =>
    {
        var names = Names(run);
        var seen = new List<EndPoint?>();
        var server = await run.Loop.CreateUnixServerAsync(() => new Greeter(seen), run.PathOf("server"));
        using var peer = PeerProcess.Python(Script, ["connect", run.PathOf("server"), .. names.Select(Convert.ToHexString)]);
        Assert.Equal(names.Count, (await peer.ReadToEndAsync()).Split('\n').Count(static line => line == "hello"));

        Assert.Equal(names.Select(static name => RawUnixEndPoint.Of(name)), seen);
        server.Close();
    });

    [Fact, Case("UDP-060")]
    public void A_sender_with_any_name_is_answered() => DatagramRun.OnLoop(static async run =>
    {
        var names = Names(run);
        var echo = await run.OpenAsync(run.Named("echo"), hearer: Hearer.Echo());
        using var peer = PeerProcess.Python(Script, ["ask", run.PathOf("echo"), .. names.Select(Convert.ToHexString)]);
        Assert.Equal(names.Count, (await peer.ReadToEndAsync()).Split('\n').Count(static line => line == "hello"));

        Assert.Equal(names.Select(static name => RawUnixEndPoint.Of(name)), echo.Senders);
    });

    private static List<byte[]> Names(DatagramRun run)
    {
        var start = Encoding.UTF8.GetBytes(run.PathOf("p"));
        return
        [
            [0, .. Guid.NewGuid().ToByteArray(), .. Enumerable.Repeat((byte)0xff, 40)],
            [0, 0xff, 0xfe, .. Guid.NewGuid().ToByteArray()],
            [.. start, 0xe9],
            [.. start, .. Enumerable.Repeat((byte)'n', 107 - start.Length)],
            [.. start, .. "lain"u8],
        ];
    }

    /// <summary>Sends what it gets back, and notes who asks.</summary>
    private sealed class Greeter(List<EndPoint?> seen) : Protocol
    {
        private ITransport? _transport;

        public override void ConnectionMade(ITransport transport)
        {
            _transport = transport;
            seen.Add(transport.GetExtraInfo(ExtraInfo.PeerName));
        }

        public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Write(data);
    }
}
