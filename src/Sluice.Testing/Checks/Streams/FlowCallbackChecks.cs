namespace Sluice.Testing.Checks.Streams;

/// <summary>What a protocol may do in PauseWriting and ResumeWriting: throw, write, close, abort, and reach for another transport.</summary>
internal static class FlowCallbackChecks
{
    [Check("FLOW-010")]
    public static async Task Exceptions_of_PauseWriting_and_ResumeWriting_are_reported_and_change_nothing(CheckStage stage)
    {
        var pauseFailure = new FormatException("in the pause");
        var resumeFailure = new FormatException("in the resume");
        var (pair, written) = await Congestion.ConnectAsync(stage, () => new RecordingProtocol
        {
            OnPause = () => throw pauseFailure,
            OnResume = () => throw resumeFailure,
        });
        pair.Client.SetWriteBufferLimits(high: int.MaxValue - 1);

        pair.Client.SetWriteBufferLimits(high: 1000);
        VerifyReport(stage.ClaimReport(), "protocol.PauseWriting() failed", pauseFailure, pair);
        pair.Client.Write(Payload.At(written, 2000));
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting");

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written + 2000);
        await stage.UntilAsync(() => stage.Reports.Count > 0);
        VerifyReport(stage.ClaimReport(), "protocol.ResumeWriting() failed", resumeFailure, pair);

        Check.That(!pair.Client.IsClosing);
        pair.Client.Write(Payload.At(written + 2000, 3));
        await pair.ServerProtocol.WaitForBytesAsync(written + 2003);
        Check.Bytes(Payload.Of(written + 2003), pair.ServerProtocol.Received);
    }

    [Check("FLOW-006")]
    public static async Task A_protocol_that_writes_until_paused_and_again_when_resumed_sends_everything(CheckStage stage)
    {
        const int Total = 2_000_000;
        const int Piece = 10_000;
        var payload = Payload.Of(Total);
        var offset = 0;
        RecordingProtocol? producer = null;
        var pair = await stage.ConnectAsync(() => producer = new RecordingProtocol { OnResume = Produce });

        Produce();
        await pair.ServerProtocol.WaitForBytesAsync(Total);
        Check.Bytes(payload, pair.ServerProtocol.Received);

        void Produce()
        {
            while (offset < Total && !producer!.Record.IsWritingPaused)
            {
                var part = payload.AsSpan(offset, Piece);
                offset += Piece;
                producer.Transport.Write(part);
                Check.That(producer.Transport.WriteBufferSize <= producer.Transport.WriteBufferLimits.High + Piece, "a protocol that obeys PauseWriting had more than high and one write waiting");
            }
        }
    }

    [Check("FLOW-011")]
    public static async Task ResumeWriting_of_one_transport_can_write_to_another(CheckStage stage)
    {
        var other = await stage.ConnectAsync();
        var (pair, _) = await Congestion.ConnectAsync(stage, () => new RecordingProtocol { OnResume = () => other.Client.Write("resumed"u8) });
        pair.Client.SetWriteBufferLimits(high: 1000);

        pair.Server.ResumeReading();
        await other.ServerProtocol.WaitForBytesAsync(7);

        Check.Bytes("resumed"u8, other.ServerProtocol.Received);
    }

    [Check("FLOW-014")]
    public static async Task ResumeWriting_that_closes_a_drained_transport_loses_it_once(CheckStage stage)
    {
        RecordingProtocol? writer = null;
        var (pair, written) = await Congestion.ConnectAsync(stage, () => writer = new RecordingProtocol { OnResume = () => writer!.Transport.Close() });
        pair.Client.SetWriteBufferLimits(high: 0);

        pair.Server.ResumeReading();
        Check.That(await pair.ClientRecord.Lost is null);
        await pair.ServerRecord.Lost;
        await stage.SettleAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting", "ResumeWriting", "ConnectionLost(null)");
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("FLOW-006", "FLOW-014")]
    public static async Task PauseWriting_may_close_or_abort(CheckStage stage)
    {
        foreach (var aborts in (bool[])[false, true])
        {
            RecordingProtocol? writer = null;
            var (pair, _) = await Congestion.ConnectAsync(stage, () => writer = new RecordingProtocol
            {
                OnPause = () =>
                {
                    if (aborts) writer!.Transport.Abort();
                    else writer!.Transport.Close();
                },
            });

            pair.Client.SetWriteBufferLimits(high: 1000);
            Check.That(pair.Client.IsClosing);
            Check.Equal(aborts, pair.Client.WriteBufferSize == 0);
            pair.Server.ResumeReading();

            Check.That(await pair.ClientRecord.Lost is null);
            Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting", "ConnectionLost(null)");
        }
    }

    [Check("FLOW-006")]
    public static async Task A_write_inside_PauseWriting_is_sent_behind_the_one_that_paused(CheckStage stage)
    {
        RecordingProtocol? writer = null;
        var written = 0;
        (var pair, written) = await Congestion.ConnectAsync(stage, () => writer = new RecordingProtocol
        {
            OnPause = () => writer!.Transport.Write(Payload.At(written + 500, 500)),
        });
        pair.Client.SetWriteBufferLimits(high: pair.Client.WriteBufferSize);

        pair.Client.Write(Payload.At(written, 500));
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting");

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written + 1000);
        Check.Bytes(Payload.Of(written + 1000), pair.ServerProtocol.Received);
    }

    [Check("FLOW-006")]
    public static async Task A_loss_or_a_close_takes_the_place_of_ResumeWriting(CheckStage stage)
    {
        foreach (var aborts in (bool[])[false, true])
        {
            var (pair, written) = await Congestion.ConnectAsync(stage);
            pair.Client.SetWriteBufferLimits(high: 1000);

            if (aborts) pair.Client.Abort();
            else pair.Client.Close();
            Check.Equal(aborts, pair.Client.WriteBufferSize == 0);
            pair.Server.ResumeReading();

            Check.That(await pair.ClientRecord.Lost is null);
            Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting", "ConnectionLost(null)");
            Check.Equal(0, pair.Client.WriteBufferSize);
            await pair.ServerRecord.Lost;
            if (!aborts) Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
        }
    }

    private static void VerifyReport(ExceptionContext report, string message, Exception exception, StreamPair pair)
    {
        Check.Equal(message, report.Message);
        Check.That(ReferenceEquals(exception, report.Exception));
        Check.That(ReferenceEquals(pair.Client, report.Transport));
        Check.That(ReferenceEquals(pair.ClientProtocol, report.Protocol));
    }
}
