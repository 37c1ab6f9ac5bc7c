namespace Sluice.Testing.Checks.Streams;

/// <summary>Aborts: at once, with null, heard once; a TCP peer sees a reset.</summary>
internal static class AbortChecks
{
    [Check("TCP-053", "BUG-009")]
    public static async Task What_waits_is_dropped_and_the_loss_comes_in_a_later_turn(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.Abort();
        Check.That(pair.Client.IsClosing && !pair.Client.IsReading);
        Check.Equal(0, pair.Client.WriteBufferSize);
        Check.That(!pair.ClientProtocol.Trace.Contains("ConnectionLost(null)"), "the loss came inside Abort");
        await stage.PassesAsync(2);
        Check.That(pair.ClientProtocol.Trace.Contains("ConnectionLost(null)"), "the loss did not come in the next turns");

        pair.Server.ResumeReading();
        await pair.ServerRecord.Lost;
        Check.That(pair.ServerProtocol.Received.Length < written, "nothing was dropped");
    }

    [Check("TCP-054")]
    public static async Task It_cuts_a_close_short_that_still_sends(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.Close();
        await stage.SettleAsync();
        Check.That(!pair.ClientRecord.Lost.IsCompleted);
        pair.Client.Abort();

        Check.That(await pair.ClientRecord.Lost is null);
        await stage.SettleAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting", "ConnectionLost(null)");
    }

    [Check("TCP-055")]
    public static async Task Aborting_again_changes_nothing(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.Abort();
        pair.Client.Abort();
        pair.Client.Close();
        Check.That(await pair.ClientRecord.Lost is null);
        pair.Client.Abort();
        await stage.SettleAsync();

        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("TCP-056", "BUG-007", "BUG-020")]
    public static async Task Events_that_were_under_way_are_ignored(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        await Congestion.OverfillAsync(stage, pair.Client);

        // Room for the outstanding write, bytes to read and an abort meet in one pass.
        pair.Server.Write(Payload.Of(10_000));
        pair.Server.ResumeReading();
        await stage.NextPassAsync();
        pair.Client.Abort();
        await stage.SettleAsync();

        Check.Equal("ConnectionLost(null)", pair.ClientProtocol.Trace[^1]);
        await pair.ServerRecord.Lost;
    }

    [Check("TCP-053", Needs = CheckNeeds.Reset)]
    public static async Task A_peer_over_TCP_sees_a_reset(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.Abort();

        Check.Equal("SocketException ConnectionReset", ProtocolRecord.Describe(await pair.ServerRecord.Lost));
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "ConnectionLost(SocketException ConnectionReset)");
    }

    [Check("TCP-053", Needs = CheckNeeds.Unix)]
    public static async Task A_peer_over_a_Unix_socket_sees_the_end(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.Abort();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("TCP-054", "BUG-009")]
    public static async Task The_first_reason_counts(CheckStage stage)
    {
        var exception = new FormatException("first");
        RecordingProtocol? client = null;
        var pair = await stage.ConnectAsync(client: () => client = new RecordingProtocol
        {
            OnData = _ => throw exception,
            OnLost = _ => client!.Transport.Abort(),
        });

        pair.Server.Write("x"u8);
        await stage.UntilAsync(() => pair.Client.IsClosing);
        pair.Client.Abort();

        Check.That(ReferenceEquals(exception, await pair.ClientRecord.Lost));
        stage.ClaimReport();
    }
}
