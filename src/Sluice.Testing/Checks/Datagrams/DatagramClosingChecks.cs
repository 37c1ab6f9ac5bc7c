using System.Net;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>The end of datagram endpoints, and what can be asked of them then.</summary>
internal static class DatagramClosingChecks
{
    [Check("UDP-023")]
    public static async Task The_loss_is_told_once_however_often_the_endpoint_is_closed(KernelStage stage)
    {
        Action<IDatagramTransport>[] acts = [static transport => transport.Close(), static transport => transport.Abort()];
        foreach (var first in acts)
        {
            foreach (var second in acts)
            {
                var end = await stage.Datagrams.OpenAsync();
                first(end.Transport);
                second(end.Transport);
                Check.That(await end.Protocol.Lost is null);
                second(end.Transport);
                await stage.SettleAsync();
                Check.Trace(end.Protocol.Trace, "ConnectionMade", "ConnectionLost(null)");
            }
        }
    }

    [Check("UDP-015")]
    public static async Task Sends_to_a_closed_connected_endpoint_are_dropped_and_the_fifth_is_logged(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        client.Transport.Close();
        for (var i = 0; i < 2; i++) client.Send("dropped"u8);
        await client.Protocol.Lost;
        for (var i = 0; i < 2; i++) client.Send("dropped"u8);
        Check.Equal(0, stage.Warnings.Count);
        client.Send("dropped"u8);
        client.Send("dropped"u8);
        Check.Equal(1, stage.Warnings.Count);
        await stage.SettleAsync();
        Check.Equal(0, server.Protocol.Datagrams.Count);
        Check.Equal(0, client.Transport.WriteBufferSize);
    }

    [Check("UDP-016")]
    public static async Task Sends_to_a_closed_endpoint_without_a_peer_are_dropped(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        var client = await stage.Datagrams.OpenAsync();
        client.Transport.Close();
        client.Send("dropped"u8, server);
        await client.Protocol.Lost;
        client.Send("dropped"u8, server);
        await stage.SettleAsync();
        Check.Equal(0, server.Protocol.Datagrams.Count);
    }

    [Check("UDP-022")]
    public static async Task What_was_sent_before_Close_arrives(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        for (var i = 0; i < 10; i++) client.Send([(byte)i]);
        client.Transport.Close();
        Check.That(await client.Protocol.Lost is null);
        await server.Protocol.WaitForDatagramsAsync(10);
        for (var i = 0; i < 10; i++) Check.Equal(i, server.Protocol.Datagrams[i].Data.Span[0]);
    }

    [Check("UDP-022", "BUG-072", Needs = CheckNeeds.Unix)]
    public static async Task An_endpoint_that_is_full_of_its_own_datagrams_still_comes_to_its_end(KernelStage stage)
    {
        var address = stage.Datagrams.CreateAddress();
        var protocol = new RecordingDatagramProtocol
        {
            OnMade = transport =>
            {
                for (var i = 0; i < 2000; i++) transport.SendTo(Payload.At(i, 1000), address);
                transport.Close();
                Check.That(transport.WriteBufferSize > 0, "everything was taken, which tells nothing");
            },
        };
        await stage.Datagrams.OpenAsync(address, protocol: protocol);
        Check.That(await protocol.Lost is null);
        Check.Equal(0, protocol.Datagrams.Count);
    }

    [Check("UDP-023")]
    public static async Task What_ConnectionLost_throws_is_reported(KernelStage stage)
    {
        var end = await stage.Datagrams.OpenAsync(protocol: new RecordingDatagramProtocol { OnLost = static _ => throw new FormatException() });
        end.Transport.Close();
        await end.Protocol.Lost;
        await stage.SettleAsync();
        Check.That(stage.ClaimReport() is { Exception: FormatException, Message: "Exception in callback protocol.ConnectionLost()" });
        Check.Equal(-1, end.Transport.GetExtraInfo(ExtraInfo.Socket)!.Handle);
    }

    [Check("UDP-026")]
    public static async Task Names_can_be_asked_for_after_the_loss_and_the_socket_is_let_go(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        var socket = client.Transport.GetExtraInfo(ExtraInfo.Socket)!;
        Check.That(socket.Handle >= 0);
        Check.Equal(System.Net.Sockets.SocketType.Dgram, socket.SocketType);
        Check.Equal(stage.Datagrams.Family, socket.AddressFamily);
        var (name, peer) = (client.Address, client.Transport.GetExtraInfo(ExtraInfo.PeerName));
        Check.Equal(server.Address, peer);
        Check.That(server.Transport.GetExtraInfo(ExtraInfo.PeerName) is null);

        client.Transport.Close();
        await client.Protocol.Lost;
        await stage.SettleAsync();
        Check.Equal(-1, socket.Handle);
        Check.Equal(name, client.Address);
        Check.Equal(peer, client.Transport.GetExtraInfo(ExtraInfo.PeerName));
    }

    [Check("UDP-001")]
    public static async Task A_protocol_can_be_exchanged(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        client.Send("one"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
        var successor = new Successor();
        server.Transport.SetProtocol(successor);
        Check.That(server.Transport.Protocol == successor);
        client.Send("two"u8);
        await stage.UntilAsync(() => successor.Received == 1);
        Check.Equal(1, server.Protocol.Datagrams.Count);
        Check.Throws<ArgumentException>(() => server.Transport.SetProtocol(client.Protocol));
        server.Transport.SetProtocol(server.Protocol);
    }

    private sealed class Successor : DatagramProtocol
    {
        public int Received { get; private set; }

        public override void DatagramReceived(ReadOnlySpan<byte> data, EndPoint? address) => Received++;
    }
}
