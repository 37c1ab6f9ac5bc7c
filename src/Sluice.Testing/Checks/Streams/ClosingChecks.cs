namespace Sluice.Testing.Checks.Streams;

/// <summary>Graceful closes: what was accepted is sent first, the peer sees an end and no reset, and the protocol hears of it once.</summary>
internal static class ClosingChecks
{
    [Check("TCP-050", "TCP-072")]
    public static async Task Closing_again_changes_nothing_and_the_peer_sees_an_orderly_end(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.Close();
        Check.That(pair.Client.IsClosing && !pair.Client.IsReading);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
        pair.Client.Close();
        Check.That(await pair.ClientRecord.Lost is null);
        pair.Client.Close();
        Check.That(await pair.ServerRecord.Lost is null);
        await stage.SettleAsync();

        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("TCP-051", "TCP-052")]
    public static async Task The_loss_waits_until_what_was_written_is_sent(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.Close();
        pair.Server.Write("too late"u8);
        await stage.SettleAsync();
        Check.That(pair.Client.IsClosing && !pair.Client.IsReading && pair.Client.WriteBufferSize > 0);
        Check.That(!pair.ClientRecord.Lost.IsCompleted, "the connection was lost before its bytes were sent");
        pair.Server.ResumeReading();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
        Check.Equal(0, pair.ClientProtocol.Received.Length);
    }

    [Check("BUG-008")]
    public static async Task Writing_is_not_resumed_once_closed(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        await Congestion.OverfillAsync(stage, pair.Client);
        Check.That(pair.ClientRecord.IsWritingPaused);

        pair.Client.Close();
        pair.Server.ResumeReading();

        await pair.ClientRecord.Lost;
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting", "ConnectionLost(null)");
    }

    [Check("BUG-008")]
    public static async Task A_close_inside_PauseWriting_ends_in_the_loss_alone(CheckStage stage)
    {
        RecordingProtocol? quitter = null;
        var pair = await stage.ConnectAsync(() => quitter = new RecordingProtocol { OnPause = () => quitter!.Transport.Close() }, Congestion.NonReader);

        var written = await Congestion.OverfillAsync(stage, pair.Client);
        Check.That(pair.Client.IsClosing);
        pair.Server.ResumeReading();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
        await pair.ClientRecord.Lost;
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting", "ConnectionLost(null)");
    }

    [Check("TCP-038")]
    public static async Task What_is_written_while_a_close_still_sends_is_sent_too(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.Close();
        pair.Client.Write(Payload.At(written, 10));
        pair.Client.Write(Payload.At(written + 10, 20_000));
        pair.Server.ResumeReading();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written + 20_010), pair.ServerProtocol.Received);
    }

    [Check("TCP-052", "TCP-070")]
    public static async Task Bytes_and_a_close_in_one_callback_all_arrive(CheckStage stage)
    {
        foreach (var length in (int[])[1, 4_000, 100_000])
        {
            var pair = await stage.ConnectAsync(server: () => new RecordingProtocol
            {
                OnMade = transport =>
                {
                    transport.Write(Payload.Of(length));
                    transport.Close();
                },
            });

            Check.That(await pair.ClientRecord.Lost is null);
            Check.Bytes(Payload.Of(length), pair.ClientProtocol.Received);
            Check.Trace(pair.ClientProtocol.Record.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        }
    }

    [Check("BUG-012")]
    public static async Task A_peer_that_keeps_sending_still_gets_the_whole_answer(CheckStage stage)
    {
        RecordingProtocol? client = null;
        RecordingProtocol? server = null;
        var pair = await stage.ConnectAsync(
            () => client = new RecordingProtocol { OnData = _ => client!.Transport.Write(Payload.Of(100)) },
            () => server = new RecordingProtocol
            {
                OnData = _ =>
                {
                    server!.Transport.Write(Payload.Of(90_000));
                    server.Transport.Close();
                },
            });

        // Most of it is still unread when the server closes.
        pair.Client.Write(Payload.Of(60_000));

        Check.That(await pair.ServerRecord.Lost is null);
        Check.That(await pair.ClientRecord.Lost is null);
        Check.Bytes(Payload.Of(90_000), pair.ClientProtocol.Received);
    }

    [Check("BUG-012", Needs = CheckNeeds.Alone)]
    public static async Task Two_ends_that_close_with_queued_bytes_both_finish(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(Congestion.NonReader, Congestion.NonReader);

        // Together with what the kernel holds, less than a closed end reads and drops before it lets go.
        await Congestion.OverfillAsync(stage, pair.Client, size: 200 * 1024);
        await Congestion.OverfillAsync(stage, pair.Server, size: 200 * 1024);
        Check.That(pair.Client.WriteBufferSize > 0 && pair.Server.WriteBufferSize > 0);

        pair.Client.Close();
        pair.Server.Close();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(await pair.ServerRecord.Lost is null);
    }

    [Check("TCP-014", Needs = CheckNeeds.Alone)]
    public static async Task A_reset_after_the_loss_is_nobodys_concern(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);

        pair.Client.Close();
        Check.That(await pair.ClientRecord.Lost is null);
        pair.Server.Abort();
        await stage.SettleAsync();

        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
        Check.Equal(0, stage.Warnings.Count);
    }

    [Check("TCP-012", Needs = CheckNeeds.Reset)]
    public static async Task A_reset_during_the_last_writes_is_the_reason_of_the_loss(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.Close();
        await stage.NextPassAsync();
        pair.Server.Abort();

        Check.Equal("SocketException ConnectionReset", ProtocolRecord.Describe(await pair.ClientRecord.Lost));
    }

    [Check("TCP-071", Needs = CheckNeeds.HalfClose)]
    public static async Task Writing_to_a_peer_that_is_gone_loses_the_connection_once(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(client: static () => new RecordingProtocol { OnEof = static () => true });
        pair.Server.Close();
        await pair.ClientProtocol.WaitForEofAsync();

        // The peer reads and drops some of it before it lets go.
        for (var written = 0; !pair.ClientRecord.Lost.IsCompleted; written += 64 * 1024)
        {
            Congestion.VerifyEnds(written);
            pair.Client.Write(Payload.Of(64 * 1024));
            await stage.SettleAsync();
        }

        var reason = ProtocolRecord.Describe(await pair.ClientRecord.Lost);
        Check.That(reason is "SocketException ConnectionReset" or "SocketException Shutdown", $"lost with {reason}");
    }

    [Check("TCP-057", "TCP-058")]
    public static async Task After_the_loss_everything_is_harmless(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var transport = pair.Client;
        transport.Close();
        await pair.ClientRecord.Lost;
        await stage.SettleAsync();

        transport.Close();
        transport.Abort();
        transport.Write("x"u8);
        transport.WriteLines(["x"u8.ToArray()]);
        transport.GetSpan(5000)[0] = 1;
        transport.Advance(1);
        if (transport.CanWriteEof) transport.WriteEof();
        transport.PauseReading();
        transport.ResumeReading();
        transport.SetWriteBufferLimits(high: 0);
        transport.SetProtocol(new RecordingProtocol());
        await stage.SettleAsync();

        Check.That(transport.IsClosing && !transport.IsReading && transport.Protocol is null);
        Check.Equal(0, transport.WriteBufferSize);
        stage.VerifyReleased(transport);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("TCP-057")]
    public static async Task An_exception_in_ConnectionLost_is_reported_and_the_connection_released(CheckStage stage)
    {
        var exception = new FormatException("too late to matter");
        var pair = await stage.ConnectAsync(client: () => new RecordingProtocol { OnLost = _ => throw exception });

        pair.Client.Close();
        await pair.ServerRecord.Lost;
        await stage.SettleAsync();

        var report = stage.ClaimReport();
        Check.Equal("Exception in callback protocol.ConnectionLost()", report.Message);
        Check.That(ReferenceEquals(exception, report.Exception) && ReferenceEquals(pair.Client, report.Transport));
        Check.That(ReferenceEquals(pair.ClientProtocol, report.Protocol));
        Check.That(pair.Client.Protocol is null);
        stage.VerifyReleased(pair.Client);
    }
}
