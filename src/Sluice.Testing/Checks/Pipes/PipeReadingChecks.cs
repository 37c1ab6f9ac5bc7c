namespace Sluice.Testing.Checks.Pipes;

/// <summary>The reading end of a pipe.</summary>
internal static class PipeReadingChecks
{
    private const int InputOutput = 5;
    private const int NoBufferSpace = 105;

    [Check("PIPE-001")]
    public static async Task Bytes_that_were_there_before_come_after_the_caller_has_resumed(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        await pipe.OpenWriterAsync();
        pipe.Writer.Write("early"u8);
        await stage.SettleAsync();

        var order = new List<string>();
        await pipe.OpenReaderAsync(new RecordingReadProtocol { OnMade = _ => order.Add("made"), OnData = _ => order.Add("data") });
        order.Add("resumed");
        await pipe.Reading.Record.WaitForBytesAsync(5);

        Check.Trace(order.Distinct().ToArray(), "made", "resumed", "data");
        Check.Bytes("early"u8, pipe.Reading.Record.Received);
    }

    [Check("PIPE-003", "PIPE-010", "PIPE-026")]
    public static async Task All_bytes_come_in_order_and_then_the_end(KernelStage stage)
    {
        var largest = 0;
        var pipe = await PipeEnds.OpenAsync(stage, new RecordingReadProtocol { OnData = data => largest = Math.Max(largest, data.Length) });

        pipe.Writer.Write(Payload.Of(1));
        await pipe.Reading.Record.WaitForBytesAsync(1);
        pipe.Writer.Write(Payload.At(1, 4));
        await pipe.Reading.Record.WaitForBytesAsync(5);
        pipe.Writer.Write(Payload.At(5, 1_000_000));
        pipe.Writer.Close();

        Check.That(await pipe.Reading.Record.Lost is null);
        Check.That(await pipe.Writing.Record.Lost is null);
        Check.Bytes(Payload.Of(1_000_005), pipe.Reading.Record.Received);
        Check.That(largest <= 256 * 1024, $"one call brought {largest} bytes");
        Check.Trace(pipe.Reading.Record.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
    }

    [Check("PIPE-010", "PIPE-026", "PIPE-007")]
    public static async Task The_transport_shows_what_it_was_given_and_closes_it_in_the_end(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage);
        foreach (var (transport, handle) in ((IBaseTransport, object)[])[(pipe.Reader, pipe.ReaderHandle), (pipe.Writer, pipe.WriterHandle)])
        {
            Check.That(ReferenceEquals(handle, transport.GetExtraInfo(ExtraInfo.Pipe)));
            Check.That(ReferenceEquals(handle, transport.GetExtraInfo("pipe")));
            Check.That(transport.GetExtraInfo("socket", "none") is "none");
            Check.That(transport.GetExtraInfo(ExtraInfo.PeerName) is null);
        }

        var wasOpen = false;
        pipe.Reading.OnLost = _ => wasOpen = !pipe.ReaderHandle.IsClosed;
        pipe.Reader.Close();
        Check.That(!pipe.ReaderHandle.IsClosed);
        await pipe.Reading.Record.Lost;
        await pipe.Writing.Record.Lost;
        Check.That(wasOpen, "the pipe was closed before ConnectionLost");
        Check.That(pipe.ReaderHandle.IsClosed);
        Check.That(pipe.WriterHandle.IsClosed);
        Check.That(ReferenceEquals(pipe.ReaderHandle, pipe.Reader.GetExtraInfo(ExtraInfo.Pipe)));
        Check.That(pipe.Reader.Protocol is null);
    }

    [Check("PIPE-004")]
    public static async Task The_end_closes_whatever_EofReceived_answers(KernelStage stage)
    {
        foreach (var answer in (bool[])[false, true])
        {
            var pipe = new PipeEnds(stage);
            var closing = false;
            await pipe.OpenReaderAsync(new RecordingReadProtocol
            {
                OnEof = () =>
                {
                    closing = pipe.Reader.IsClosing;
                    pipe.Reader.Close();
                    return answer;
                },
            });
            pipe.WriterHandle.Dispose();

            Check.That(await pipe.Reading.Record.Lost is null);
            Check.That(closing, "the transport was not closing in EofReceived");
            Check.Trace(pipe.Reading.Record.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
        }
    }

    [Check("PIPE-005", Needs = CheckNeeds.Faults)]
    public static async Task A_failed_read_is_reported_unless_a_terminal_has_hung_up(KernelStage stage)
    {
        foreach (var errno in (int[])[InputOutput, NoBufferSpace])
        {
            var pipe = new PipeEnds(stage);
            await pipe.OpenReaderAsync();
            stage.Faults!.FailNextRead(errno);

            var reason = await pipe.Reading.Record.Lost;
            Check.That(reason is System.Net.Sockets.SocketException, $"the reason was {reason}");
            Check.Equal(2, pipe.Reading.Record.Trace.Count);
            if (errno == NoBufferSpace)
            {
                var report = stage.ClaimReport();
                Check.Equal("Fatal read error on pipe transport", report.Message);
                Check.That(ReferenceEquals(reason, report.Exception));
                Check.That(ReferenceEquals(pipe.Reader, report.Transport));
                Check.That(ReferenceEquals(pipe.Reading, report.Protocol));
            }

            Check.Equal(0, stage.Reports.Count);
            Check.That(pipe.ReaderHandle.IsClosed);
            pipe.WriterHandle.Dispose();
        }
    }

    [Check("PIPE-006")]
    public static async Task Nothing_comes_while_paused_and_everything_after(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage);
        Check.That(pipe.Reader.IsReading);
        pipe.Reader.ResumeReading();
        pipe.Reader.PauseReading();
        pipe.Reader.PauseReading();
        Check.That(!pipe.Reader.IsReading);

        pipe.Writer.Write(Payload.Of(10_000));
        pipe.Writer.Close();
        await stage.SettleAsync();
        Check.Trace(pipe.Reading.Record.Trace, "ConnectionMade");

        pipe.Reader.ResumeReading();
        pipe.Reader.ResumeReading();
        Check.Trace(pipe.Reading.Record.Trace, "ConnectionMade");
        Check.That(await pipe.Reading.Record.Lost is null);
        Check.Bytes(Payload.Of(10_000), pipe.Reading.Record.Received);
        Check.Trace(pipe.Reading.Record.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        pipe.Reader.PauseReading();
        pipe.Reader.ResumeReading();
        Check.That(!pipe.Reader.IsReading);
    }

    [Check("PIPE-006", "PIPE-001")]
    public static async Task A_pause_in_ConnectionMade_holds(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage, new RecordingReadProtocol { OnMade = static transport => transport.PauseReading() });
        pipe.Writer.Write("kept"u8);
        await stage.SettleAsync();
        Check.Equal(0, pipe.Reading.Record.Received.Length);

        pipe.Reader.ResumeReading();
        await pipe.Reading.Record.WaitForBytesAsync(4);
    }

    [Check("PIPE-007")]
    public static async Task Close_drops_what_is_unread_and_tells_in_a_later_turn(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage, new RecordingReadProtocol { OnMade = static transport => transport.PauseReading() });
        pipe.Writer.Write("unread"u8);
        await stage.SettleAsync();

        pipe.Reader.Close();
        pipe.Reader.Close();
        Check.That(pipe.Reader.IsClosing);
        Check.That(!pipe.Reader.IsReading);
        Check.Trace(pipe.Reading.Record.Trace, "ConnectionMade");
        Check.That(await pipe.Reading.Record.Lost is null);
        Check.Trace(pipe.Reading.Record.Trace, "ConnectionMade", "ConnectionLost(null)");
        Check.That(await pipe.Writing.Record.Lost is null);
    }

    [Check("PIPE-009")]
    public static async Task A_reading_callback_that_throws_ends_the_pipe_as_it_does_any_stream(KernelStage stage)
    {
        foreach (var callback in (string[])["DataReceived", "EofReceived"])
        {
            var thrown = new FormatException();
            var reading = new RecordingReadProtocol();
            if (callback == "DataReceived") reading.OnData = _ => throw thrown;
            else reading.OnEof = () => throw thrown;
            var pipe = await PipeEnds.OpenAsync(stage, reading);

            pipe.Writer.Write("x"u8);
            if (callback == "EofReceived") pipe.Writer.Close();

            Check.That(ReferenceEquals(thrown, await pipe.Reading.Record.Lost));
            var report = stage.ClaimReport();
            Check.Equal($"Fatal error: protocol.{callback}() call failed.", report.Message);
            Check.That(ReferenceEquals(thrown, report.Exception));
            Check.That(pipe.ReaderHandle.IsClosed);
            await pipe.Writing.Record.Lost;
        }
    }

    [Check("PIPE-008")]
    public static async Task The_pipe_is_closed_also_where_ConnectionLost_throws(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(
            stage,
            new RecordingReadProtocol { OnLost = static _ => throw new FormatException("reader") },
            new RecordingWriteProtocol { OnLost = static _ => throw new FormatException("writer") });

        pipe.Writer.Close();
        await pipe.Reading.Record.Lost;
        await pipe.Writing.Record.Lost;

        foreach (var _ in (int[])[1, 2])
        {
            var report = stage.ClaimReport();
            Check.Equal("Exception in callback protocol.ConnectionLost()", report.Message);
            Check.That(report.Exception is FormatException);
        }

        Check.That(pipe.ReaderHandle.IsClosed);
        Check.That(pipe.WriterHandle.IsClosed);
        Check.That(pipe.Reader.Protocol is null);
    }

    [Check("PIPE-010")]
    public static async Task A_reader_is_handed_to_another_protocol(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        await pipe.OpenWriterAsync();
        var first = new RecordingReadProtocol();
        var (reader, _) = await stage.Loop.ConnectReadPipeAsync(() => first, pipe.ReaderHandle);
        pipe.Writer.Write("one"u8);
        await first.Record.WaitForBytesAsync(3);
        var second = new Heir();
        reader.SetProtocol(second);
        Check.That(ReferenceEquals(second, reader.Protocol));

        pipe.Writer.Write("two"u8);
        pipe.Writer.Close();
        await stage.UntilAsync(() => second.IsLost);
        Check.Equal("two", second.Text);
        Check.Trace(first.Record.Shape, "ConnectionMade", "DataReceived");
    }

    private sealed class Heir : ReadProtocol
    {
        public string Text { get; private set; } = "";

        public bool IsLost { get; private set; }

        public override void DataReceived(ReadOnlySpan<byte> data) => Text += System.Text.Encoding.ASCII.GetString(data);

        public override void ConnectionLost(Exception? exception) => IsLost = true;
    }
}
