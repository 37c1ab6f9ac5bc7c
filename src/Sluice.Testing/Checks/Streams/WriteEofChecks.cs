namespace Sluice.Testing.Checks.Streams;

/// <summary>Half-close: the sending side ends, the other goes on.</summary>
internal static class WriteEofChecks
{
    [Check("TCP-044", Needs = CheckNeeds.HalfClose)]
    public static async Task The_peer_reads_the_end_once_and_its_bytes_still_arrive(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingProtocol { OnEof = static () => true });
        Check.That(pair.Client.CanWriteEof);

        pair.Client.WriteEof();
        pair.Client.WriteEof();
        await pair.ServerProtocol.WaitForEofAsync();
        Check.That(pair.Client.IsReading && !pair.Client.IsClosing);
        pair.Server.Write(Payload.Of(60_000));
        await pair.ClientProtocol.WaitForBytesAsync(60_000);

        pair.Client.WriteEof();
        pair.Server.Close();
        Check.That(await pair.ClientRecord.Lost is null);
        Check.Bytes(Payload.Of(60_000), pair.ClientProtocol.Received);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("BUG-014", Needs = CheckNeeds.HalfClose)]
    public static async Task The_end_waits_for_what_was_written_before(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);
        var writable = pair.Client.WriteBufferSize;

        pair.Client.WriteEof();
        Check.Equal(writable, pair.Client.WriteBufferSize);
        Check.That(!pair.Client.IsClosing);
        pair.Server.ResumeReading();

        await pair.ServerProtocol.WaitForEofAsync();
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("BUG-014", Needs = CheckNeeds.HalfClose)]
    public static async Task A_small_write_leaves_before_the_end(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.Write("last words"u8);
        pair.Client.WriteEof();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes("last words"u8, pair.ServerProtocol.Received);
    }

    [Check("TCP-044", Needs = CheckNeeds.HalfClose)]
    public static async Task Writing_after_it_is_the_callers_mistake(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingProtocol { OnEof = static () => true });

        pair.Client.WriteEof();
        Check.Throws<InvalidOperationException>(() => pair.Client.Write("x"u8));
        Check.Throws<InvalidOperationException>(() => pair.Client.Write([]));
        Check.Throws<InvalidOperationException>(() => pair.Client.WriteLines(["x"u8.ToArray()]));

        pair.Server.Write("unaffected"u8);
        await pair.ClientProtocol.WaitForBytesAsync(10);
        Check.Equal(0, pair.ServerProtocol.Received.Length);
    }

    [Check("TCP-046", Needs = CheckNeeds.HalfClose)]
    public static async Task After_a_close_it_does_nothing(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.Close();
        pair.Client.WriteEof();
        pair.Client.Write(Payload.At(written, 5));
        pair.Server.ResumeReading();
        Check.That(await pair.ClientRecord.Lost is null);
        pair.Client.WriteEof();

        await pair.ServerRecord.Lost;
        Check.Bytes(Payload.Of(written + 5), pair.ServerProtocol.Received);
    }

    [Check("TCP-051", Needs = CheckNeeds.HalfClose)]
    public static async Task A_close_supersedes_an_end_that_still_waits(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.WriteEof();
        pair.Client.Close();
        pair.Server.ResumeReading();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("TCP-019", Needs = CheckNeeds.HalfClose)]
    public static async Task Two_ends_that_both_half_close_stay_until_they_are_closed(CheckStage stage)
    {
        static RecordingProtocol KeepOpen() => new() { OnEof = static () => true };
        var pair = await stage.ConnectAsync(KeepOpen, KeepOpen);

        pair.Client.WriteEof();
        pair.Server.WriteEof();
        await pair.ClientProtocol.WaitForEofAsync();
        await pair.ServerProtocol.WaitForEofAsync();
        await stage.SettleAsync();
        Check.That(!pair.Client.IsClosing && !pair.Server.IsClosing);

        await pair.CloseAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }
}
