namespace Sluice.Testing.Checks.Datagrams;

/// <summary>How datagram endpoints are made.</summary>
internal static class DatagramBirthChecks
{
    [Check("UDP-023", "UDP-026")]
    public static async Task An_endpoint_is_made_first_and_lost_last(KernelStage stage)
    {
        var protocol = stage.Datagrams.Watch(new RecordingDatagramProtocol());
        var (transport, made) = await stage.Loop.CreateDatagramEndpointAsync(() => protocol, stage.Datagrams.CreateAddress());

        Check.That(made == protocol && protocol.Transport == transport && transport.Protocol == protocol);
        Check.That(!transport.IsClosing);
        Check.Trace(protocol.Trace, "ConnectionMade");

        transport.Close();
        Check.That(transport.IsClosing);
        Check.Trace(protocol.Trace, "ConnectionMade");
        Check.That(await protocol.Lost is null);
        await stage.SettleAsync();
        Check.Trace(protocol.Trace, "ConnectionMade", "ConnectionLost(null)");
        Check.That(transport.Protocol is null);
    }

    [Check("UDP-026")]
    public static async Task A_datagram_that_was_there_before_comes_after_the_caller_has_resumed(KernelStage stage)
    {
        var socket = stage.Datagrams.CreateSocket(stage.Datagrams.CreateAddress(), out var name);
        stage.Datagrams.SendRaw("early"u8, name);
        await stage.SettleAsync();

        var order = new List<string>();
        var protocol = stage.Datagrams.Watch(new RecordingDatagramProtocol { OnDatagram = (_, _) => order.Add("datagram") });
        var (transport, _) = await stage.Loop.AdoptDatagramAsync(() => protocol, socket);
        order.Add("resumed");
        await protocol.WaitForDatagramsAsync(1);

        Check.Trace(order, "resumed", "datagram");
        Check.Bytes("early"u8, protocol.Datagrams[0].Data.Span);
        Check.Equal(name, transport.GetExtraInfo(ExtraInfo.SocketName));
        transport.Close();
        Check.That(await protocol.Lost is null);
    }

    [Check("UDP-033")]
    public static async Task A_factory_that_throws_closes_the_socket(KernelStage stage)
    {
        var socket = stage.Datagrams.CreateSocket(stage.Datagrams.CreateAddress(), out var name);
        await Check.ThrowsAsync<FormatException>(() => stage.Loop.AdoptDatagramAsync<RecordingDatagramProtocol>(() => throw new FormatException(), socket));
        await stage.SettleAsync();
        Check.That(stage.Datagrams.IsClosed(socket));

        if (!stage.Datagrams.IsUnix) await stage.Datagrams.OpenAsync(name);
        await Check.ThrowsAsync<InvalidOperationException>(() => stage.Loop.CreateDatagramEndpointAsync<RecordingDatagramProtocol>(() => null!, stage.Datagrams.CreateAddress()));
        var first = await stage.Datagrams.OpenAsync();
        await Check.ThrowsAsync<InvalidOperationException>(() => stage.Loop.CreateDatagramEndpointAsync(() => first.Protocol, stage.Datagrams.CreateAddress()));
        Check.That(!first.Transport.IsClosing);
    }

    [Check("UDP-023")]
    public static async Task What_ConnectionMade_throws_is_reported_and_the_endpoint_lives(KernelStage stage)
    {
        var protocol = new RecordingDatagramProtocol { OnMade = _ => throw new FormatException() };
        var (client, server) = await stage.Datagrams.PairAsync(server: protocol);
        Check.That(stage.ClaimReport() is { Exception: FormatException, Message: "Exception in callback protocol.ConnectionMade()" });

        client.Send("still there"u8);
        await server.Protocol.WaitForDatagramsAsync(1);
    }

    [Check("UDP-016", "BUG-077")]
    public static async Task An_endpoint_that_is_closed_in_ConnectionMade_receives_nothing(KernelStage stage)
    {
        var socket = stage.Datagrams.CreateSocket(stage.Datagrams.CreateAddress(), out var name);
        stage.Datagrams.SendRaw("early"u8, name);
        await stage.SettleAsync();

        var end = await stage.Datagrams.AdoptAsync(socket, new RecordingDatagramProtocol { OnMade = static transport => transport.Close() });
        Check.That(await end.Protocol.Lost is null);
        await stage.SettleAsync();
        Check.Trace(end.Protocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("UDP-007")]
    public static async Task What_ConnectionMade_sends_arrives(KernelStage stage)
    {
        var server = await stage.Datagrams.OpenAsync();
        await stage.Datagrams.ConnectAsync(server.Address, protocol: new RecordingDatagramProtocol { OnMade = static transport => transport.SendTo("hello"u8) });
        await server.Protocol.WaitForDatagramsAsync(1);
        Check.Bytes("hello"u8, server.Protocol.Datagrams[0].Data.Span);
    }

    [Check("UDP-033")]
    public static async Task An_endpoint_whose_opening_was_cancelled_is_never_made(KernelStage stage)
    {
        using var cancelled = new CancellationTokenSource();
        var protocol = new RecordingDatagramProtocol();
        var opening = stage.Loop.CreateDatagramEndpointAsync(() => stage.Datagrams.Watch(protocol), stage.Datagrams.CreateAddress(), cancellationToken: cancelled.Token);
        await cancelled.CancelAsync();
        try
        {
            await opening;
            protocol.Transport.Close();
        }
        catch (OperationCanceledException)
        {
            await stage.SettleAsync();
            Check.Trace(protocol.Trace);
        }
    }
}
