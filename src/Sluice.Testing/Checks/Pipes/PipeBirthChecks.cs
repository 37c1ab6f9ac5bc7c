namespace Sluice.Testing.Checks.Pipes;

/// <summary>How a handle becomes a transport, and what becomes of it where that fails.</summary>
internal static class PipeBirthChecks
{
    private static readonly AsyncLocal<string?> Ambient = new();

    [Check("PIPE-002")]
    public static async Task The_wrong_end_is_refused_and_left_alone(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        Check.Throws<ArgumentException>(() => stage.Loop.ConnectReadPipeAsync(static () => new RecordingReadProtocol(), pipe.WriterHandle));
        Check.Throws<ArgumentException>(() => stage.Loop.ConnectWritePipeAsync(static () => new RecordingWriteProtocol(), pipe.ReaderHandle));

        await pipe.OpenReaderAsync();
        await pipe.OpenWriterAsync();
        pipe.Writer.Write("fine"u8);
        await pipe.Reading.Record.WaitForBytesAsync(4);
    }

    [Check("PIPE-002")]
    public static Task Arguments_that_are_missing_or_closed_are_refused_at_the_call(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        Check.Throws<ArgumentNullException>(() => stage.Loop.ConnectReadPipeAsync<RecordingReadProtocol>(null!, pipe.ReaderHandle));
        Check.Throws<ArgumentNullException>(() => stage.Loop.ConnectWritePipeAsync(static () => new RecordingWriteProtocol(), (System.Runtime.InteropServices.SafeHandle)null!));
        Check.Throws<ArgumentException>(() => stage.Loop.ConnectReadPipeAsync(static () => new RecordingReadProtocol(), new MemoryStream()));
        pipe.ReaderHandle.Dispose();
        pipe.WriterHandle.Dispose();
        Check.Throws<ObjectDisposedException>(() => stage.Loop.ConnectReadPipeAsync(static () => new RecordingReadProtocol(), pipe.ReaderHandle));
        return Task.CompletedTask;
    }

    [Check("PIPE-003", "PIPE-018")]
    public static async Task A_socket_serves_as_a_pipe(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        var reading = stage.Watch(new RecordingReadProtocol());
        var writing = stage.Watch(new RecordingWriteProtocol());
        await stage.Loop.ConnectReadPipeAsync(() => reading, first);
        await stage.Loop.ConnectWritePipeAsync(() => writing, second);
        writing.Transport.Write(Payload.Of(300_000));
        writing.Transport.Close();

        Check.That(await reading.Record.Lost is null);
        Check.That(await writing.Record.Lost is null);
        Check.Bytes(Payload.Of(300_000), reading.Record.Received);
        Check.Trace(reading.Record.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
    }

    [Check("PIPE-007", "BUG-043")]
    public static async Task A_factory_that_fails_closes_the_pipe(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        await pipe.OpenReaderAsync();
        await Check.ThrowsAsync<FormatException>(
            () => stage.Loop.ConnectWritePipeAsync<RecordingWriteProtocol>(static () => throw new FormatException(), pipe.WriterHandle));
        Check.That(await pipe.Reading.Record.Lost is null);
        Check.That(pipe.WriterHandle.IsClosed);

        pipe = new PipeEnds(stage);
        await pipe.OpenWriterAsync();
        await Check.ThrowsAsync<InvalidOperationException>(() => stage.Loop.ConnectReadPipeAsync<RecordingReadProtocol>(static () => null!, pipe.ReaderHandle));
        Check.That(await pipe.Writing.Record.Lost is null);
    }

    [Check("PIPE-001", "BUG-043")]
    public static async Task A_cancelled_call_closes_the_pipe_and_calls_nobody(KernelStage stage)
    {
        var pipe = new PipeEnds(stage);
        await pipe.OpenWriterAsync();
        await Check.ThrowsAsync<OperationCanceledException>(
            () => stage.Loop.ConnectReadPipeAsync(static () => new RecordingReadProtocol(), pipe.ReaderHandle, new CancellationToken(canceled: true)));
        await pipe.Writing.Record.Lost;
    }

    [Check("PIPE-008", "CTX-001")]
    public static async Task Every_callback_sees_the_context_of_the_call_that_took_the_pipe_over(KernelStage stage)
    {
        var seen = new List<string?>();
        var pipe = new PipeEnds(stage);
        Ambient.Value = "reader";
        await pipe.OpenReaderAsync(new RecordingReadProtocol
        {
            OnMade = _ => seen.Add(Ambient.Value),
            OnData = _ => seen.Add(Ambient.Value),
            OnLost = _ => seen.Add(Ambient.Value),
        });
        Ambient.Value = "writer";
        await pipe.OpenWriterAsync(new RecordingWriteProtocol { OnLost = _ => seen.Add(Ambient.Value) });
        Ambient.Value = "elsewhere";
        pipe.Writer.Write("x"u8);
        await pipe.Reading.Record.WaitForBytesAsync(1);
        pipe.Writer.Close();
        await pipe.Reading.Record.Lost;
        await pipe.Writing.Record.Lost;

        Check.Trace([.. seen.Select(static value => value ?? "none").Order()], "reader", "reader", "reader", "writer");
    }

    [Check("PIPE-029")]
    public static async Task A_pipe_goes_one_way_by_its_type(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage);
        Check.That(pipe.Reader is not IWriteTransport);
        Check.That(pipe.Writer is not IReadTransport);
        Check.Throws<ArgumentException>(() => pipe.Reader.SetProtocol(Serving(stage)));

        static RecordingReadProtocol Serving(KernelStage stage)
        {
            var other = new PipeEnds(stage);
            var protocol = stage.Watch(new RecordingReadProtocol());
            _ = stage.Loop.ConnectReadPipeAsync(() => protocol, other.ReaderHandle);
            other.WriterHandle.Dispose();
            return protocol;
        }
    }

    [Check("PIPE-030")]
    public static async Task A_pipe_says_what_it_is_in_every_state(KernelStage stage)
    {
        var pipe = await PipeEnds.OpenAsync(stage);
        Check.That(pipe.Reader.ToString()!.StartsWith("<ReadPipeTransport Open fd=", StringComparison.Ordinal), pipe.Reader.ToString());
        Check.That(pipe.Writer.ToString()!.StartsWith("<WritePipeTransport Open fd=", StringComparison.Ordinal), pipe.Writer.ToString());
        pipe.Writer.Close();
        await pipe.Writing.Record.Lost;
        await pipe.Reading.Record.Lost;
        await stage.SettleAsync();
        Check.Equal("<ReadPipeTransport Closed fd=-1>", pipe.Reader.ToString());
        Check.Equal("<WritePipeTransport Closed fd=-1>", pipe.Writer.ToString());
    }
}
