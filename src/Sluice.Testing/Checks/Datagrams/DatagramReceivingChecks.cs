using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Datagrams;

/// <summary>What datagram protocols receive.</summary>
internal static class DatagramReceivingChecks
{
    private const int WouldBlock = 11;
    private const int ConnectionAborted = 103;
    private const int ConnectionReset = 104;

    [Check("UDP-001", "UDP-041", "BUG-075")]
    public static async Task Each_datagram_is_one_callback_whole_in_order_and_with_its_sender(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        for (var i = 0; i < 100; i++) client.Send(Payload.At(i, 3 * i));
        await server.Protocol.WaitForDatagramsAsync(100);

        Check.Equal(100, server.Protocol.Datagrams.Count);
        for (var i = 0; i < 100; i++)
        {
            Check.Bytes(Payload.At(i, 3 * i), server.Protocol.Datagrams[i].Data.Span);
            Check.Equal(client.Address, server.Protocol.Datagrams[i].Address);
        }
    }

    [Check("UDP-001", "UDP-005", "BUG-075")]
    public static async Task Datagrams_of_every_size_arrive_to_the_byte(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        int[] sizes = [0, 1, 2, 507, 508, 1_472, 1_473, 4_095, 4_096, 9_000, 16_383, 16_384, 32_768, 65_000, 65_506, 65_507];
        foreach (var (size, i) in sizes.Select(static (size, i) => (size, i)))
        {
            client.Send(Payload.At(i, size));
            await server.Protocol.WaitForDatagramsAsync(i + 1);
            Check.Bytes(Payload.At(i, size), server.Protocol.Datagrams[i].Data.Span);
        }
    }

    [Check("UDP-006", "BUG-069", "UDP-008", "BUG-068")]
    public static async Task Empty_datagrams_are_real(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        client.Send([]);
        client.Send([]);
        client.Send("x"u8);
        client.Send([]);
        await server.Protocol.WaitForDatagramsAsync(4);
        Check.Trace(server.Protocol.Trace, "ConnectionMade", "DatagramReceived(0)", "DatagramReceived(0)", "DatagramReceived(1)", "DatagramReceived(0)");
    }

    [Check("UDP-001")]
    public static async Task Datagrams_of_many_senders_are_neither_mixed_nor_misattributed(KernelStage stage)
    {
        const int Senders = 5;
        const int Rounds = 20;
        var server = await stage.Datagrams.OpenAsync();
        var clients = new List<DatagramEnd>();
        for (var i = 0; i < Senders; i++) clients.Add(await stage.Datagrams.OpenAsync());
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var (client, i) in clients.Select(static (client, i) => (client, i))) client.Send([(byte)i, (byte)round, .. Payload.Of(i * round)], server);
        }

        await server.Protocol.WaitForDatagramsAsync(Senders * Rounds);
        var next = new int[Senders];
        foreach (var datagram in server.Protocol.Datagrams)
        {
            var i = datagram.Data.Span[0];
            Check.Equal(next[i]++, datagram.Data.Span[1]);
            Check.Bytes(Payload.Of(i * datagram.Data.Span[1]), datagram.Data.Span[2..]);
            Check.Equal(clients[i].Address, datagram.Address);
        }
    }

    [Check("UDP-045")]
    public static async Task What_DatagramReceived_throws_is_reported_and_the_endpoint_lives(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync(server: new RecordingDatagramProtocol { OnDatagram = static (_, _) => throw new FormatException() });
        client.Send("one"u8);
        client.Send("two"u8);
        await server.Protocol.WaitForDatagramsAsync(2);

        for (var i = 0; i < 2; i++)
        {
            var report = stage.ClaimReport();
            Check.That(report is { Exception: FormatException, Message: "Exception in callback protocol.DatagramReceived()" });
            Check.That(report.Protocol == server.Protocol && report.Transport == server.Transport);
        }

        Check.That(!server.Transport.IsClosing);
    }

    [Check("BUG-077")]
    public static async Task Nothing_is_received_after_a_close_in_DatagramReceived(KernelStage stage)
    {
        foreach (var aborts in (bool[])[false, true])
        {
            var protocol = new RecordingDatagramProtocol();
            protocol.OnDatagram = (_, _) =>
            {
                if (aborts) protocol.Transport.Abort();
                else protocol.Transport.Close();
            };
            var (client, server) = await stage.Datagrams.PairAsync(server: protocol);
            for (var i = 0; i < 10; i++) client.Send("again"u8);
            Check.That(await server.Protocol.Lost is null);
            await stage.SettleAsync();
            Check.Trace(protocol.Trace, "ConnectionMade", "DatagramReceived(5)", "ConnectionLost(null)");
            client.Transport.Abort();
        }
    }

    [Check("BUG-077")]
    public static async Task Nothing_is_received_after_Close(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        client.Send("too late"u8);
        server.Transport.Close();
        client.Send("too late"u8);
        await server.Protocol.Lost;
        await stage.SettleAsync();
        Check.Trace(server.Protocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("UDP-001", Needs = CheckNeeds.Tcp)]
    public static async Task A_connected_endpoint_hears_only_its_peer(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        var stranger = await stage.Datagrams.OpenAsync();
        stranger.Send("not for you"u8, client);
        await stage.SettleAsync();
        server.Send("for you"u8, client);
        await client.Protocol.WaitForDatagramsAsync(1);
        Check.Equal(1, client.Protocol.Datagrams.Count);
        Check.Bytes("for you"u8, client.Protocol.Datagrams[0].Data.Span);
    }

    [Check("UDP-002", Needs = CheckNeeds.Faults)]
    public static async Task A_receive_that_would_block_calls_nothing(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync();
        stage.Faults!.FailNextReceive(WouldBlock);
        await stage.SettleAsync();
        Check.Trace(server.Protocol.Trace, "ConnectionMade");
        client.Send("x"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
        Check.Trace(server.Protocol.Trace, "ConnectionMade", "DatagramReceived(1)");
    }

    [Check("UDP-003", "UDP-045", Needs = CheckNeeds.Faults)]
    public static async Task A_receive_that_fails_is_told_and_receiving_goes_on(KernelStage stage)
    {
        var (client, server) = await stage.Datagrams.PairAsync(client: new RecordingDatagramProtocol(), server: new RecordingDatagramProtocol());
        client.Protocol.OnError = static _ => throw new FormatException();
        server.Protocol.OnError = static _ => throw new FormatException();
        stage.Faults!.FailNextReceive(ConnectionAborted);
        stage.Faults.FailNextReceive(ConnectionReset);
        await stage.UntilAsync(() => client.Protocol.Errors.Count + server.Protocol.Errors.Count == 2);
        for (var i = 0; i < 2; i++) Check.Equal("Exception in callback protocol.ErrorReceived()", stage.ClaimReport().Message);

        client.Send("x"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
        server.Send("y"u8, client);
        await client.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-001")]
    public static async Task The_payload_is_lent_and_may_be_kept_only_as_a_copy(KernelStage stage)
    {
        var copies = new List<byte[]>();
        var (client, server) = await stage.Datagrams.PairAsync(server: new RecordingDatagramProtocol { OnDatagram = (data, _) => copies.Add(data.ToArray()) });
        for (var i = 0; i < 30; i++) client.Send(Payload.At(i, 100));
        await server.Protocol.WaitForDatagramsAsync(30);
        for (var i = 0; i < 30; i++) Check.Bytes(Payload.At(i, 100), copies[i]);
    }
}
