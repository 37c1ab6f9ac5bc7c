using System.Net;
using System.Net.Sockets;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>What becomes of datagrams that protocols send, and which receivers they may name.</summary>
internal static class DatagramSendingChecks
{
    [Check("UDP-024")]
    public static async Task A_client_asks_and_a_server_answers(KernelStage stage)
    {
        var server = new RecordingDatagramProtocol();
        server.OnDatagram = (data, address) => server.Transport.SendTo([.. "resp:"u8, .. data], address);
        var (client, far) = await stage.Datagrams.PairAsync(server: server);

        client.Send("xxx"u8);
        await client.Protocol.WaitForDatagramsAsync(1);
        Check.Bytes("resp:xxx"u8, client.Protocol.Datagrams[0].Data.Span);
        Check.Equal(far.Address, client.Protocol.Datagrams[0].Address);

        client.Transport.Close();
        far.Transport.Close();
        Check.That(await client.Protocol.Lost is null);
        Check.That(await server.Lost is null);
        Check.Trace(client.Protocol.Trace, "ConnectionMade", "DatagramReceived(8)", "ConnectionLost(null)");
        Check.Trace(server.Trace, "ConnectionMade", "DatagramReceived(3)", "ConnectionLost(null)");
    }

    [Check("UDP-007")]
    public static async Task A_datagram_goes_to_the_receiver_that_is_named(KernelStage stage)
    {
        var one = await stage.Datagrams.OpenAsync();
        var other = await stage.Datagrams.OpenAsync();
        var sender = await stage.Datagrams.OpenAsync();
        sender.Send("one"u8, one);
        sender.Send("other"u8, other);
        await one.Protocol.WaitForDatagramsAsync(1);
        await other.Protocol.WaitForDatagramsAsync(1);

        Check.Bytes("one"u8, one.Protocol.Datagrams[0].Data.Span);
        Check.Bytes("other"u8, other.Protocol.Datagrams[0].Data.Span);
        await stage.UntilAsync(() => sender.Transport.WriteBufferSize == 0);
    }

    [Check("UDP-009")]
    public static async Task The_memory_of_a_datagram_is_the_caller_s_again_after_the_call(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        var memory = "first"u8.ToArray();
        client.Send(memory);
        "other"u8.CopyTo(memory);
        client.Send(memory);
        memory.AsSpan().Clear();
        await server.Protocol.WaitForDatagramsAsync(2);
        Check.Bytes("first"u8, server.Protocol.Datagrams[0].Data.Span);
        Check.Bytes("other"u8, server.Protocol.Datagrams[1].Data.Span);
    }

    [Check("UDP-009", Needs = CheckNeeds.Tcp)]
    public static async Task An_address_can_be_changed_after_the_call(KernelStage stage)
    {
        var one = await stage.Datagrams.OpenAsync();
        var other = await stage.Datagrams.OpenAsync();
        var sender = await stage.Datagrams.OpenAsync();
        var address = (IPEndPoint)one.Address;
        var changing = new IPEndPoint(address.Address, address.Port);
        sender.Transport.SendTo("for the first"u8, changing);
        changing.Port = ((IPEndPoint)other.Address).Port;
        await one.Protocol.WaitForDatagramsAsync(1);
        await stage.SettleAsync();
        Check.Equal(0, other.Protocol.Datagrams.Count);
    }

    [Check("UDP-014")]
    public static async Task A_connected_endpoint_sends_to_its_peer_only(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        var stranger = await stage.Datagrams.OpenAsync();
        var refused = Check.Throws<ArgumentException>(() => client.Send("x"u8, stranger));
        Check.That(refused.Message.Contains("Invalid address: must be null or", StringComparison.Ordinal));
        Check.Throws<ArgumentException>(() => client.Transport.SendTo("x"u8, new DnsEndPoint("localhost", 1)));

        client.Send("unnamed"u8);
        client.Send("named"u8, server);
        client.Transport.SendTo("equal"u8, server.Address is IPEndPoint ip ? new IPEndPoint(ip.Address, ip.Port) : new UnixDomainSocketEndPoint(server.Address.ToString()!));
        await server.Protocol.WaitForDatagramsAsync(3);
        Check.Equal(0, stranger.Protocol.Datagrams.Count);
    }

    [Check("UDP-043")]
    public static async Task A_receiver_that_cannot_be_is_refused_at_the_call(KernelStage stage)
    {
        var end = await stage.Datagrams.OpenAsync();
        EndPoint foreign = stage.Datagrams.Family == AddressFamily.InterNetworkV6
            ? new IPEndPoint(IPAddress.Loopback, 9)
            : new IPEndPoint(IPAddress.IPv6Loopback, 9);
        Check.Throws<ArgumentException>(() => end.Transport.SendTo("x"u8, foreign));
        Check.Throws<ArgumentException>(() => end.Transport.SendTo("x"u8, new DnsEndPoint("localhost", 9)));
        Check.Throws<ArgumentException>(() => end.Transport.SendTo("x"u8));
        Check.Equal(0, end.Transport.WriteBufferSize);
        await stage.SettleAsync();
        Check.Trace(end.Protocol.Trace, "ConnectionMade");
    }

    [Check("UDP-011")]
    public static async Task A_datagram_that_is_too_long_is_told_and_the_others_arrive(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        var connected = await stage.Datagrams.ConnectAsync(server.Address);
        var free = await stage.Datagrams.OpenAsync();
        foreach (var (end, to) in ((DatagramEnd, DatagramEnd?)[])[(connected, null), (free, server)])
        {
            var before = server.Protocol.Datagrams.Count;
            end.Send("before"u8, to);
            end.Send(new byte[1024 * 1024], to);
            end.Send("behind"u8, to);
            await end.Protocol.WaitForErrorsAsync(1);
            await server.Protocol.WaitForDatagramsAsync(before + 2);

            Check.That(end.Protocol.Errors.Single() is SocketException { SocketErrorCode: SocketError.MessageSize });
            Check.Bytes("before"u8, server.Protocol.Datagrams[before].Data.Span);
            Check.Bytes("behind"u8, server.Protocol.Datagrams[before + 1].Data.Span);
            Check.That(!end.Transport.IsClosing);
            Check.Equal(0, end.Transport.WriteBufferSize);
        }
    }

    [Check("UDP-046")]
    public static async Task What_ErrorReceived_throws_during_a_send_goes_to_the_handler(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync(client: new RecordingDatagramProtocol { OnError = static _ => throw new FormatException() });
        client.Send(new byte[1024 * 1024]);
        await client.Protocol.WaitForErrorsAsync(1);
        Check.That(stage.ClaimReport() is { Exception: FormatException, Message: "Exception in callback protocol.ErrorReceived()" });

        client.Send("goes on"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-011")]
    public static async Task ErrorReceived_may_send_close_and_abort(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        foreach (var act in (Action<IDatagramTransport>[])[static transport => transport.SendTo("instead"u8), static transport => transport.Close(), static transport => transport.Abort()])
        {
            var protocol = new RecordingDatagramProtocol();
            protocol.OnError = _ => act(protocol.Transport);
            var client = await stage.Datagrams.ConnectAsync(server.Address, protocol: protocol);
            client.Send(new byte[1024 * 1024]);
            await protocol.WaitForErrorsAsync(1);
            if (client.Transport.IsClosing) Check.That(await protocol.Lost is null);
        }

        await server.Protocol.WaitForDatagramsAsync(1);
        Check.Bytes("instead"u8, server.Protocol.Datagrams[0].Data.Span);
    }

    [Check("UDP-011", Needs = CheckNeeds.Faults)]
    public static async Task Every_datagram_that_the_kernel_refuses_is_told_and_the_others_arrive(KernelStage stage)
    {
        const int Count = 6;
        const int NotPermitted = 1;
        const int WouldBlock = 11;
        const int NoBufferSpace = 105;
        foreach (var errno in (int[])[NotPermitted, NoBufferSpace])
        {
            for (var position = 0; position < Count; position++)
            {
                var (client, server) = await stage.Datagrams.PairAsync();
                for (var i = 0; i < Count; i++) client.Send([(byte)i]);

                // Offered one by one until the position, so that the fault meets that datagram whatever the dice say.
                await stage.UntilAsync(() => client.Transport.WriteBufferSize == 0);
                await server.Protocol.WaitForDatagramsAsync(Count);
                for (var i = 0; i < position; i++) stage.Faults!.FailNextSend(WouldBlock);
                stage.Faults!.FailNextSend(errno);
                for (var i = 0; i < Count; i++) client.Send([(byte)i]);
                await client.Protocol.WaitForErrorsAsync(1);
                await server.Protocol.WaitForDatagramsAsync((2 * Count) - 1);

                Check.Equal(1, client.Protocol.Errors.Count);
                Check.Equal(0, client.Transport.WriteBufferSize);
                byte[] expected = [1, 2, 3, 4, 5];
                Check.Bytes(expected, server.Protocol.Datagrams.Skip(Count).Select(static datagram => datagram.Data.Span[0]).ToArray());
                client.Transport.Abort();
                server.Transport.Abort();
            }
        }
    }

    [Check("UDP-044", "UDP-011", Needs = CheckNeeds.Tcp)]
    public static async Task A_broadcast_needs_permission(KernelStage stage)
    {
        if (stage.Datagrams.Family != AddressFamily.InterNetwork) return;
        var everybody = IPAddress.Parse("127.255.255.255");
        var hearer = await stage.Datagrams.OpenAsync(new IPEndPoint(IPAddress.Any, 0));
        var port = ((IPEndPoint)hearer.Address).Port;

        var forbidden = await stage.Datagrams.OpenAsync(new IPEndPoint(IPAddress.Any, 0));
        forbidden.Transport.SendTo("x"u8, new IPEndPoint(everybody, port));
        await forbidden.Protocol.WaitForErrorsAsync(1);
        Check.That(forbidden.Protocol.Errors[0] is SocketException { SocketErrorCode: SocketError.AccessDenied });

        var allowed = await stage.Datagrams.OpenAsync(new IPEndPoint(IPAddress.Any, 0), options: new DatagramOptions { AllowBroadcast = true });
        allowed.Transport.SendTo("all"u8, new IPEndPoint(everybody, port));
        await hearer.Protocol.WaitForDatagramsAsync(1);
        Check.Bytes("all"u8, hearer.Protocol.Datagrams[0].Data.Span);
    }
}
