namespace Sluice.Testing.Checks.Streams;

/// <summary>When a protocol is told to stop writing and to go on, to the byte.</summary>
internal static class FlowControlChecks
{
    [Check("FLOW-005", "FLOW-007")]
    public static async Task PauseWriting_comes_inside_the_write_that_lifts_the_buffer_above_high(CheckStage stage)
    {
        var isWriting = false;
        var pausedInside = false;
        var (pair, _) = await Congestion.ConnectAsync(stage, () => new RecordingProtocol { OnPause = () => pausedInside = isWriting });
        var waiting = pair.Client.WriteBufferSize;
        pair.Client.SetWriteBufferLimits(high: waiting + 100);

        pair.Client.Write(new byte[100]);
        Check.Equal(waiting + 100, pair.Client.WriteBufferSize);
        Check.That(!pair.ClientRecord.IsWritingPaused, "it was paused at exactly high");

        isWriting = true;
        pair.Client.Write([1]);
        isWriting = false;
        Check.That(pausedInside, "PauseWriting did not come before the write returned");
        Check.Equal(waiting + 101, pair.Client.WriteBufferSize);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting");
    }

    [Check("FLOW-006")]
    public static async Task Writes_while_paused_are_taken_and_do_not_pause_again(CheckStage stage)
    {
        var (pair, written) = await Congestion.ConnectAsync(stage);
        pair.Client.SetWriteBufferLimits(high: 1000);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting");

        for (var i = 0; i < 3; i++) pair.Client.Write(Payload.At(written + i * 5000, 5000));
        await stage.NextPassAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting");

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written + 15_000);
        await stage.SettleAsync();
        Check.Bytes(Payload.Of(written + 15_000), pair.ServerProtocol.Received);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting", "ResumeWriting");
    }

    [Check("FLOW-006")]
    public static async Task ResumeWriting_comes_as_soon_as_the_buffer_is_at_or_below_low(CheckStage stage)
    {
        foreach (var low in (int[])[0, 1, 30_000])
        {
            RecordingProtocol? writer = null;
            var sizeAtResume = -1;
            var (pair, _) = await Congestion.ConnectAsync(stage, () => writer = new RecordingProtocol
            {
                OnResume = () => sizeAtResume = writer!.Transport.WriteBufferSize,
            });
            pair.Client.SetWriteBufferLimits(high: low, low: low);
            Check.That(pair.ClientRecord.IsWritingPaused);

            pair.Server.ResumeReading();
            await stage.UntilAsync(() =>
            {
                var size = pair.Client.WriteBufferSize;
                Check.That(pair.ClientRecord.IsWritingPaused == (size > low), $"paused is {pair.ClientRecord.IsWritingPaused} with {size} bytes, low is {low}");
                return size == 0;
            });
            Check.That(sizeAtResume >= 0 && sizeAtResume <= low, $"ResumeWriting came with {sizeAtResume} bytes, low is {low}");
        }
    }

    [Check("FLOW-008")]
    public static async Task A_write_that_the_kernel_takes_at_once_never_pauses_however_large(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        pair.Client.SetWriteBufferLimits(high: 100);

        for (var i = 0; i < 5; i++)
        {
            var pauses = Pauses(pair.ClientProtocol);
            pair.Client.Write(new byte[10_000]);
            var size = pair.Client.WriteBufferSize;
            Check.Equal(size > 100, pair.ClientRecord.IsWritingPaused, $"paused, with {size} bytes waiting");
            if (size <= 100) Check.Equal(pauses, Pauses(pair.ClientProtocol));
            await pair.ServerProtocol.WaitForBytesAsync((i + 1) * 10_000);
            await stage.UntilAsync(() => pair.Client.WriteBufferSize == 0);
        }
    }

    [Check("FLOW-013")]
    public static async Task WriteLines_pauses_like_a_write(CheckStage stage)
    {
        var (pair, written) = await Congestion.ConnectAsync(stage);
        var waiting = pair.Client.WriteBufferSize;
        pair.Client.SetWriteBufferLimits(high: waiting + 100);

        pair.Client.WriteLines([Payload.At(written, 60), Array.Empty<byte>(), Payload.At(written + 60, 40)]);
        Check.That(!pair.ClientRecord.IsWritingPaused, "it was paused at exactly high");
        pair.Client.WriteLines([Payload.At(written + 100, 1), Payload.At(written + 101, 1)]);
        Check.That(pair.ClientRecord.IsWritingPaused);
        Check.Equal(waiting + 102, pair.Client.WriteBufferSize);

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written + 102);
        Check.Bytes(Payload.Of(written + 102), pair.ServerProtocol.Received);
    }

    [Check("FLOW-009")]
    public static async Task With_a_high_limit_of_zero_any_waiting_byte_pauses_until_none_waits(CheckStage stage)
    {
        var sizesAtResume = new List<int>();
        RecordingProtocol? writer = null;
        var pair = await stage.ConnectAsync(() => writer = new RecordingProtocol
        {
            OnResume = () => sizesAtResume.Add(writer!.Transport.WriteBufferSize),
        });
        pair.Client.SetWriteBufferLimits(high: 0);
        Check.Equal((0, 0), pair.Client.WriteBufferLimits);

        for (var i = 0; i < 20; i++)
        {
            pair.Client.Write([(byte)i]);
            Check.Equal(pair.Client.WriteBufferSize > 0, pair.ClientRecord.IsWritingPaused);
            await pair.ServerProtocol.WaitForBytesAsync(i + 1);
            await stage.UntilAsync(() => pair.Client.WriteBufferSize == 0);
            Check.That(!pair.ClientRecord.IsWritingPaused);
        }

        pair.Server.PauseReading();
        await Congestion.FillAsync(stage, pair.Client);
        pair.Client.SetWriteBufferLimits(high: 0);
        Check.That(pair.ClientRecord.IsWritingPaused);
        pair.Server.ResumeReading();
        await stage.UntilAsync(() => !pair.ClientRecord.IsWritingPaused);
        Check.That(sizesAtResume.Count > 0 && sizesAtResume.TrueForAll(static size => size == 0));
    }

    [Check("FLOW-004")]
    public static async Task New_limits_pause_at_once_but_never_resume(CheckStage stage)
    {
        var (pair, _) = await Congestion.ConnectAsync(stage);
        var waiting = pair.Client.WriteBufferSize;

        pair.Client.SetWriteBufferLimits(high: waiting, low: waiting / 2);
        Check.That(!pair.ClientRecord.IsWritingPaused);
        pair.Client.SetWriteBufferLimits(high: waiting - 1, low: waiting / 2);
        Check.That(pair.ClientRecord.IsWritingPaused);

        pair.Client.SetWriteBufferLimits(high: waiting * 4, low: waiting * 2);
        await stage.SettleAsync();
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "PauseWriting");

        pair.Server.ResumeReading();
        await stage.UntilAsync(() => !pair.ClientRecord.IsWritingPaused);
    }

    private static int Pauses(RecordingProtocol protocol) => protocol.Trace.Count(static entry => entry == "PauseWriting");
}
