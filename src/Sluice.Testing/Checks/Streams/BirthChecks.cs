namespace Sluice.Testing.Checks.Streams;

/// <summary>How connections begin: who is called in which order, before and when the first byte moves.</summary>
internal static class BirthChecks
{
    [Check("TCP-001", "TCP-002", "PROTO-006")]
    public static async Task ConnectionMade_comes_before_the_caller_resumes_and_with_the_same_transport(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
        Check.That(ReferenceEquals(pair.Client, pair.ClientProtocol.Transport));
        Check.That(ReferenceEquals(pair.Client.Protocol, pair.ClientProtocol));
        Check.That(pair.Client.IsReading && !pair.Client.IsClosing);
    }

    [Check("TCP-003")]
    public static async Task The_caller_resumes_before_the_first_data(KernelStage stage)
    {
        var order = new List<string>();
        var client = stage.Watch(new RecordingProtocol { OnData = _ => order.Add("data") });
        var greeter = new RecordingProtocol { OnMade = static transport => transport.Write("hello"u8) };
        var listener = await stage.Loop.CreateServerAsync(() => stage.Watch(greeter), stage.CreateListenAddress());

        await stage.Loop.CreateConnectionAsync(() => client, listener.EndPoints[0]);
        order.Add("resumed");
        await client.WaitForBytesAsync(5);
        listener.Close();

        Check.Trace(order.Distinct().ToArray(), "resumed", "data");
        Check.Bytes("hello"u8, client.Received);
    }

    [Check("TCP-004", "BUG-023")]
    public static async Task A_pause_in_ConnectionMade_holds_until_it_is_resumed(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(
            client: static () => new RecordingProtocol { OnMade = static transport => transport.PauseReading() },
            server: static () => new RecordingProtocol { OnMade = static transport => transport.Write("early"u8) });

        await stage.SettleAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
        Check.That(!pair.Client.IsReading);

        pair.Client.ResumeReading();
        Check.That(pair.Client.IsReading);
        await pair.ClientProtocol.WaitForBytesAsync(5);
        Check.Bytes("early"u8, pair.ClientProtocol.Received);

        pair.Client.Close();
        Check.That(!pair.Client.IsReading);
    }

    [Check("PROTO-006", "BUG-049")]
    public static async Task A_peer_that_closes_at_once_is_made_ended_and_lost(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingProtocol { OnMade = static transport => transport.Close() });

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }
}
