using System.Net;
using System.Net.Sockets;
using System.Text;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Names of Unix sockets that are no text: bytes that anybody may choose.</summary>
internal static class RawUnixNameChecks
{
    [Check("UNIX-040", Needs = CheckNeeds.Unix)]
    public static async Task A_server_has_a_name_of_any_bytes(KernelStage stage)
    {
        foreach (var name in Names(stage))
        {
            await using var server = await stage.Loop.CreateServerAsync(() => stage.Watch(RecordingProtocol.Echo()), name);
            Check.Equal(name, server.EndPoints[0]);
            var (transport, protocol) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), name);
            Check.Equal(name, transport.GetExtraInfo(ExtraInfo.PeerName));
            transport.Write("by bytes"u8);
            await protocol.WaitForBytesAsync(8);
            transport.Close();
            await protocol.Lost;
            await server.DisposeAsync();

            // The file went with the server, and its path is free again.
            await using var next = await stage.Loop.CreateServerAsync(() => stage.Watch(new RecordingProtocol()), name);
        }
    }

    [Check("UDP-060", Needs = CheckNeeds.Unix)]
    public static async Task An_answer_goes_to_exactly_the_bytes_of_the_sender_s_name(KernelStage stage)
    {
        var names = Names(stage);
        var server = await stage.Datagrams.OpenAsync();
        var clients = new List<DatagramEnd>();
        foreach (var name in names) clients.Add(await stage.Datagrams.OpenAsync(name));
        for (var i = 0; i < names.Count; i++)
        {
            clients[i].Send("question"u8, server);
            await server.Protocol.WaitForDatagramsAsync(i + 1);
            Check.Equal(names[i], server.Protocol.Datagrams[i].Address);
        }

        for (var i = 0; i < names.Count; i++) server.Transport.SendTo([(byte)i], server.Protocol.Datagrams[i].Address);
        for (var i = 0; i < names.Count; i++)
        {
            await clients[i].Protocol.WaitForDatagramsAsync(1);
            Check.Bytes([(byte)i], clients[i].Protocol.Datagrams[0].Data.Span);
        }
    }

    [Check("UDP-060", Needs = CheckNeeds.Unix)]
    public static async Task An_end_point_that_NET_s_sockets_made_of_such_a_name_is_taken_by_its_bytes(KernelStage stage)
    {
        var names = Names(stage);
        var client = await stage.Datagrams.OpenAsync();
        foreach (var name in names)
        {
            var server = await stage.Datagrams.OpenAsync(name);
            client.Transport.SendTo("by bytes"u8, AsText(name));
            await server.Protocol.WaitForDatagramsAsync(1);
        }

        // Two names that one text stands for: only the endpoint's own peer may be named.
        Check.Equal(AsText(names[0]), AsText(names[1]));
        var connected = await stage.Datagrams.OpenAsync(stage.Datagrams.CreateAddress(), names[0]);
        connected.Transport.SendTo("own peer"u8, AsText(names[0]));
        Check.Throws<ArgumentException>(() => connected.Transport.SendTo("another"u8, AsText(names[1])));
    }

    [Check("UDP-060", "BUG-081", Needs = CheckNeeds.Unix)]
    public static async Task A_name_that_the_kernel_would_cut_is_refused_by_the_send(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        var client = await stage.Datagrams.OpenAsync();
        var cut = new UnixDomainSocketEndPoint(server.Address + "\0tail");
        Check.Throws<ArgumentException>(() => client.Transport.SendTo("cut"u8, cut));
        var none = server.Address.Create(new SocketAddress(AddressFamily.Unix, 2));
        Check.Throws<ArgumentException>(() => client.Transport.SendTo("nobody"u8, none));
        await stage.SettleAsync();
        Check.Equal(0, server.Protocol.Datagrams.Count);
    }

    [Check("UNIX-040", Needs = CheckNeeds.Unix)]
    public static async Task Bytes_that_are_text_name_the_same_socket(KernelStage stage)
    {
        var name = new RawUnixEndPoint(Encoding.UTF8.GetBytes(stage.CreateListenAddress().ToString()!));
        await using var server = await stage.Loop.CreateServerAsync(() => stage.Watch(new RecordingProtocol()), name);
        Check.That(server.EndPoints[0] is UnixDomainSocketEndPoint);
        var (transport, protocol) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), server.EndPoints[0]);
        transport.Close();
        await protocol.Lost;
    }

    /// <summary>What a receive of .NET's own would give for the name.</summary>
    private static EndPoint AsText(EndPoint name) => new UnixDomainSocketEndPoint("text").Create(name.Serialize());

    /// <summary>Two abstract names that one text would stand for, one that fills the address, a path in Latin-1, and a path without room for its zero.</summary>
    private static List<EndPoint> Names(KernelStage stage)
    {
        var unique = Guid.NewGuid().ToByteArray();
        var folder = Path.GetDirectoryName(stage.CreateListenAddress().ToString()!)!;
        byte[] start = [.. Encoding.UTF8.GetBytes(folder), (byte)'/'];
        byte[] full = [.. start, .. Encoding.ASCII.GetBytes(new string('n', 108 - start.Length))];
        byte[][] names =
        [
            [0, 0xff, 0xfe, .. unique], [0, 0xff, 0xff, .. unique], [0, .. unique, .. Enumerable.Repeat((byte)0xff, 91)],
            [.. start, .. "caf\u00e9"u8[..3], 0xe9], full,
        ];
        return [.. names.Select(static name => RawUnixEndPoint.Of(name))];
    }
}
