using System.Net.Sockets;

namespace Sluice.Testing.Checks.Pipes;

/// <summary>The writing end of a pipe: what it sends, when it waits, and how it ends.</summary>
internal static class PipeWritingChecks
{
    private const int BrokenPipe = 32;
    private const int NoSpace = 28;
    private const string Broken = "ConnectionLost(SocketException Shutdown)";

    [Check("PIPE-012", "PIPE-018")]
    public static async Task A_reader_that_goes_ends_the_writer_though_nothing_is_written(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        await pipe.OpenWriterAsync();
        await stage.SettleAsync();
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade");

        pipe.ReaderHandle.Dispose();
        Check.That(await pipe.Writing.Record.Lost is null);
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade", "ConnectionLost(null)");
        Check.That(pipe.WriterHandle.IsClosed);
    }

    [Check("PIPE-012", "PIPE-018", "BUG-015")]
    public static async Task A_reader_that_has_gone_before_is_noticed_after_ConnectionMade(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        pipe.ReaderHandle.Dispose();
        await pipe.OpenWriterAsync();
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade");
        Check.That(!pipe.Writer.IsClosing);
        Check.That(await pipe.Writing.Record.Lost is null);
    }

    [Check("PIPE-018", "BUG-015")]
    public static async Task A_reader_that_goes_over_unsent_bytes_breaks_the_pipe(KernelStage stage)
    {
        foreach (var end in (Action<IWriteTransport>[])[static _ => { }, static writer => writer.Close(), static writer => writer.WriteEof()])
        {
            var (pipe, _) = await PipeEnds.OpenFullAsync(stage);
            end(pipe.Writer);
            await stage.SettleAsync();
            Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade");

            pipe.Reader.Close();
            Check.Equal("SocketException Shutdown", ProtocolRecord.Describe(await pipe.Writing.Record.Lost));
            Check.Equal(0, pipe.Writer.WriteBufferSize);
            Check.That(pipe.Writer.IsClosing);
            Check.Equal(0, stage.Reports.Count);
        }
    }

    [Check("PIPE-017", "PIPE-016")]
    public static async Task Writes_after_the_loss_are_dropped_and_remarked_once(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        await pipe.OpenWriterAsync();
        pipe.ReaderHandle.Dispose();
        pipe.Writer.Write("into the void"u8);
        await pipe.Writing.Record.Lost;

        for (var i = 0; i < 4; i++) pipe.Writer.Write("x"u8);
        Check.Equal(0, stage.Warnings.Count);
        for (var i = 0; i < 4; i++) pipe.Writer.Write("x"u8);
        Check.Equal(1, stage.Warnings.Count);
        Check.Equal(0, pipe.Writer.WriteBufferSize);
        Check.Equal(2, pipe.Writing.Record.Trace.Count);
    }

    [Check("PIPE-016", Needs = CheckNeeds.Faults)]
    public static async Task A_write_that_fails_at_once_returns_and_the_loss_follows(KernelStage stage)
    {
        foreach (var length in (int[])[10, 50_000])
        {
            var pipe = await PipeEnds.OpenAsync(stage);
            stage.Faults!.FailNextWrite(NoSpace);
            pipe.Writer.Write(Payload.Of(length));
            Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade");
            pipe.Writer.Write(Payload.Of(length));

            Check.That(await pipe.Writing.Record.Lost is SocketException);
            Check.Equal(0, pipe.Writer.WriteBufferSize);
            Check.Equal(0, stage.Reports.Count);
            await pipe.Reading.Record.Lost;
            Check.Equal(0, pipe.Reading.Record.Received.Length);
        }
    }

    [Check("PIPE-020", Needs = CheckNeeds.Faults)]
    public static async Task A_queued_write_that_fails_drops_the_queue(KernelStage stage)
    {
        var (pipe, _) = await PipeEnds.OpenFullAsync(stage);
        stage.Faults!.FailNextWrite(BrokenPipe);
        pipe.Reader.ResumeReading();

        Check.Equal("SocketException Shutdown", ProtocolRecord.Describe(await pipe.Writing.Record.Lost));
        Check.Equal(0, pipe.Writer.WriteBufferSize);
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade", Broken);
        Check.Equal(0, stage.Reports.Count);
    }

    [Check("PIPE-014", "PIPE-015", "PIPE-026")]
    public static async Task What_is_written_arrives_in_order_and_nothing_is_nothing(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage);
        pipe.Writer.Write([]);
        pipe.Writer.WriteLines([]);
        Check.Equal(0, pipe.Writer.WriteBufferSize);
        pipe.Writer.Write(Payload.Of(10));
        pipe.Writer.Write(Payload.At(10, 50_000));
        pipe.Writer.WriteLines([Payload.At(50_010, 5), default, Payload.At(50_015, 30_000)]);
        pipe.Writer.Write(Payload.At(80_015, 1));
        Payload.At(80_016, 3).CopyTo(pipe.Writer.GetSpan(3));
        pipe.Writer.Advance(3);

        await pipe.Reading.Record.WaitForBytesAsync(80_019);
        Check.Bytes(Payload.Of(80_019), pipe.Reading.Record.Received);
    }

    [Check("PIPE-014")]
    public static async Task Small_writes_of_a_step_arrive_without_another_call(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage);
        stage.Loop.CallSoon(() =>
        {
            pipe.Writer.Write("1"u8);
            pipe.Writer.Write("2345"u8);
        });
        await pipe.Reading.Record.WaitForBytesAsync(5);
        Check.Bytes("12345"u8, pipe.Reading.Record.Received);
    }

    [Check("PIPE-019", "PIPE-015")]
    public static async Task A_full_pipe_pauses_the_writer_and_goes_on_when_it_is_read(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage, new RecordingReadProtocol { OnMade = static transport => transport.PauseReading() });
        pipe.Writer.Write(Payload.Of(1_000_000));
        await stage.SettleAsync();
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade", "PauseWriting");
        var waiting = pipe.Writer.WriteBufferSize;
        pipe.Writer.Write(Payload.At(1_000_000, 1_000));
        Check.Equal(waiting + 1_000, pipe.Writer.WriteBufferSize);

        pipe.Reader.ResumeReading();
        await pipe.Reading.Record.WaitForBytesAsync(1_001_000);
        await stage.UntilAsync(() => pipe.Writer.WriteBufferSize == 0);
        Check.Bytes(Payload.Of(1_001_000), pipe.Reading.Record.Received);
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade", "PauseWriting", "ResumeWriting");
    }

    [Check("FLOW-012")]
    public static async Task A_paused_writer_that_writes_once_more_hears_that_its_reader_has_gone(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage, new RecordingReadProtocol { OnMade = static transport => transport.PauseReading() });
        pipe.Writer.Write(Payload.Of(1_000_000));
        await stage.SettleAsync();
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade", "PauseWriting");

        pipe.Writer.Write("one more"u8);
        pipe.Reader.Close();
        Check.Equal("SocketException Shutdown", ProtocolRecord.Describe(await pipe.Writing.Record.Lost));
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade", "PauseWriting", Broken);
    }

    [Check("PIPE-013", "PIPE-023", "PIPE-024", "BUG-014", "BUG-016")]
    public static async Task Close_and_WriteEof_are_one_and_wait_for_what_is_queued(KernelStage stage)
    {
        foreach (var end in (Action<IWriteTransport>[])[static writer => writer.Close(), static writer => writer.WriteEof()])
        {
            var (pipe, written) = await PipeEnds.OpenFullAsync(stage);
            Check.That(pipe.Writer.CanWriteEof);
            end(pipe.Writer);
            end(pipe.Writer);
            pipe.Writer.Close();
            Check.That(pipe.Writer.IsClosing);
            await stage.SettleAsync();
            Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade");

            pipe.Reader.ResumeReading();
            Check.That(await pipe.Writing.Record.Lost is null);
            Check.That(await pipe.Reading.Record.Lost is null);
            Check.Bytes(Payload.Of(written), pipe.Reading.Record.Received);
            Check.Trace(pipe.Reading.Record.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        }
    }

    [Check("PIPE-023", "PIPE-024")]
    public static async Task An_idle_writer_closes_in_a_later_turn(KernelStage stage)
    {
        foreach (var end in (Action<IWriteTransport>[])[static writer => writer.Close(), static writer => writer.WriteEof()])
        {
            var pipe = await PipeEnds.OpenAsync(stage);
            end(pipe.Writer);
            Check.That(pipe.Writer.IsClosing);
            Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade");
            Check.That(await pipe.Writing.Record.Lost is null);
            Check.That(await pipe.Reading.Record.Lost is null);
        }
    }

    [Check("PIPE-025")]
    public static async Task What_is_written_while_a_close_flushes_is_sent_as_on_a_socket(KernelStage stage)
    {
        var (pipe, written) = await PipeEnds.OpenFullAsync(stage);
        pipe.Writer.Close();
        pipe.Writer.Write(Payload.At(written, 5_000));
        pipe.Reader.ResumeReading();

        Check.That(await pipe.Writing.Record.Lost is null);
        await pipe.Reading.Record.Lost;
        Check.Bytes(Payload.Of(written + 5_000), pipe.Reading.Record.Received);
    }

    [Check("PIPE-020")]
    public static async Task Abort_drops_what_is_queued(KernelStage stage)
    {
        var (pipe, written) = await PipeEnds.OpenFullAsync(stage);
        pipe.Writer.Close();
        pipe.Writer.Abort();
        pipe.Writer.Abort();
        Check.Equal(0, pipe.Writer.WriteBufferSize);
        Check.Trace(pipe.Writing.Record.Trace, "ConnectionMade");
        Check.That(await pipe.Writing.Record.Lost is null);

        pipe.Reader.ResumeReading();
        Check.That(await pipe.Reading.Record.Lost is null);
        var received = pipe.Reading.Record.Received;
        Check.That(received.Length < written, "nothing was dropped");
        Check.Bytes(Payload.Of(received.Length), received);
    }

    [Check("PIPE-026")]
    public static async Task A_writer_is_handed_to_another_protocol(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage);
        var second = new RecordingWriteProtocol();
        pipe.Writer.SetProtocol(second);
        Check.That(ReferenceEquals(second, pipe.Writer.Protocol));
        pipe.Writer.SetProtocol(pipe.Writing);
        Check.Trace(second.Record.Trace);
    }
}
