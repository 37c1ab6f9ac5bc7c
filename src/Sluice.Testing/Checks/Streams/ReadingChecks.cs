namespace Sluice.Testing.Checks.Streams;

/// <summary>How bytes, the end of the stream and a broken connection reach a protocol, and how it holds them back.</summary>
internal static class ReadingChecks
{
    [Check("TCP-009", "TCP-022")]
    public static async Task An_echo_comes_back_whole_and_in_order(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: RecordingProtocol.Echo);
        var message = Payload.Of(300_000);

        pair.Client.Write(message);
        await pair.ClientProtocol.WaitForBytesAsync(message.Length);

        Check.Bytes(message, pair.ServerProtocol.Received);
        Check.Bytes(message, pair.ClientProtocol.Received);
    }

    [Check("TCP-009")]
    public static async Task Both_directions_flow_at_the_same_time(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var toServer = Payload.Of(200_000);
        var toClient = Payload.Of(150_001);

        pair.Client.Write(toServer);
        pair.Server.Write(toClient);
        await pair.ServerProtocol.WaitForBytesAsync(toServer.Length);
        await pair.ClientProtocol.WaitForBytesAsync(toClient.Length);

        Check.Bytes(toServer, pair.ServerProtocol.Received);
        Check.Bytes(toClient, pair.ClientProtocol.Received);
    }

    [Check("TCP-005")]
    public static async Task Pausing_and_resuming_twice_is_the_same_as_once(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.PauseReading();
        pair.Client.PauseReading();
        Check.That(!pair.Client.IsReading);
        pair.Server.Write("held back"u8);
        await stage.SettleAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");

        pair.Client.ResumeReading();
        pair.Client.ResumeReading();
        Check.That(pair.Client.IsReading);
        await pair.ClientProtocol.WaitForBytesAsync(9);
        Check.Bytes("held back"u8, pair.ClientProtocol.Received);
    }

    [Check("TCP-006", "BUG-024")]
    public static async Task Pausing_and_resuming_a_closing_transport_does_nothing(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.Close();
        pair.Client.PauseReading();
        Check.That(!pair.Client.IsReading);
        pair.Client.ResumeReading();
        Check.That(!pair.Client.IsReading);

        Check.That(await pair.ClientRecord.Lost is null);
        pair.Client.PauseReading();
        pair.Client.ResumeReading();
        Check.That(!pair.Client.IsReading);
    }

    [Check("TCP-008")]
    public static async Task A_pause_and_resume_within_one_callback_lose_nothing(CheckStage stage)
    {
        RecordingProtocol? flicker = null;
        var pair = await stage.ConnectAsync(client: () => flicker = new RecordingProtocol
        {
            OnData = _ =>
            {
                flicker!.Transport.PauseReading();
                flicker.Transport.ResumeReading();
            },
        });
        var message = Payload.Of(100_000);

        pair.Server.Write(message);
        await pair.ClientProtocol.WaitForBytesAsync(message.Length);

        Check.Bytes(message, pair.ClientProtocol.Received);
    }

    [Check("TCP-005", "TCP-008", Needs = CheckNeeds.Alone)]
    public static async Task Data_and_the_end_behind_it_wait_for_the_resume(CheckStage stage)
    {
        RecordingProtocol? picky = null;
        var pair = await stage.ConnectAsync(client: () => picky = new RecordingProtocol { OnData = _ => picky!.Transport.PauseReading() });
        var message = Payload.Of(5_000);

        pair.Server.Write(message);
        pair.Server.Close();
        while (pair.ClientProtocol.Received.Length < message.Length)
        {
            await stage.UntilAsync(() => !pair.Client.IsReading || pair.ClientProtocol.Received.Length == message.Length);
            await stage.SettleAsync();
            Check.That(!pair.ClientProtocol.Trace.Contains("EofReceived"), "the end came while reading was paused");
            pair.Client.ResumeReading();
        }

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Bytes(message, pair.ClientProtocol.Received);
        Check.Trace(pair.ClientProtocol.Record.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
    }

    [Check("TCP-019", "TCP-021", Needs = CheckNeeds.HalfClose)]
    public static async Task A_half_closed_connection_stays_open_for_writing_and_ends_only_once(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(client: static () => new RecordingProtocol { OnEof = static () => true });

        pair.Server.WriteEof();
        await pair.ClientProtocol.WaitForEofAsync();
        Check.That(!pair.Client.IsReading && !pair.Client.IsClosing);
        pair.Client.PauseReading();
        pair.Client.ResumeReading();
        Check.That(!pair.Client.IsReading, "reading came back after the end of the stream");

        pair.Client.Write("still here"u8);
        await pair.ServerProtocol.WaitForBytesAsync(10);
        await stage.SettleAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived");

        await pair.CloseAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("PROTO-002", Needs = CheckNeeds.HalfClose)]
    public static async Task The_default_answer_to_the_end_of_the_stream_closes_both_ends(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Server.Write("bye"u8);
        pair.Server.WriteEof();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes("bye"u8, pair.ClientProtocol.Received);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("TCP-012", "TCP-015", Needs = CheckNeeds.Reset)]
    public static async Task A_reset_by_the_peer_is_the_reason_of_the_loss_and_nobody_elses_concern(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Server.Abort();

        await pair.ClientRecord.Lost;
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(SocketException ConnectionReset)");
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("TCP-012", Needs = CheckNeeds.Reset)]
    public static async Task Bytes_before_a_reset_are_delivered_first(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(client: static () => new RecordingProtocol { OnMade = static transport => transport.PauseReading() });

        pair.Server.Write("last words"u8);
        await stage.UntilAsync(() => pair.Server.WriteBufferSize == 0);
        await stage.SettleAsync();
        pair.Server.Abort();
        await stage.SettleAsync();
        pair.Client.ResumeReading();

        await pair.ClientRecord.Lost;
        Check.Bytes("last words"u8, pair.ClientProtocol.Received);
        Check.Trace(
            pair.ClientProtocol.Record.Shape, "ConnectionMade", "DataReceived", "ConnectionLost(SocketException ConnectionReset)");
    }

    [Check("TCP-013", "TCP-015", Needs = CheckNeeds.Faults)]
    public static async Task A_read_that_fails_is_the_reason_of_the_loss(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();

        const int TimedOut = 110;
        stage.Faults!.FailNextRead(TimedOut);

        var first = await Task.WhenAny(pair.ClientRecord.Lost, pair.ServerRecord.Lost);
        Check.Equal("SocketException TimedOut", ProtocolRecord.Describe(await first));
    }

    [Check("BUF-001", "TCP-009")]
    public static async Task A_buffered_protocol_gets_the_same_bytes_through_buffers_of_any_size(CheckStage stage)
    {
        foreach (var size in (int[])[1, 7, 4096, 100_000])
        {
            var pair = await stage.ConnectAsync(client: () => new RecordingBufferedProtocol(size));
            var message = Payload.Of(Math.Min(20_000, size * 1_000));

            pair.Server.Write(message);
            pair.Server.Close();

            Check.That(await pair.ClientRecord.Lost is null);
            Check.Bytes(message, pair.ClientRecord.Received);
        }
    }
}
