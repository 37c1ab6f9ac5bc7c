using System.Runtime.InteropServices;
using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Pipes;

/// <summary>A pipe with a transport at each end, both on the stage's loop, or a bare handle at one of them. Shared by the checks of pipes.</summary>
internal sealed class PipeEnds
{
    private readonly KernelStage _stage;

    /// <summary>A pipe without transports.</summary>
    public PipeEnds(KernelStage stage)
    {
        _stage = stage;
        (ReaderHandle, WriterHandle) = stage.CreatePipe();
    }

    public SafeHandle ReaderHandle { get; }

    public SafeHandle WriterHandle { get; }

    public RecordingReadProtocol Reading { get; private set; } = new();

    public RecordingWriteProtocol Writing { get; private set; } = new();

    public IReadTransport Reader => Reading.Transport;

    public IWriteTransport Writer => Writing.Transport;

    /// <summary>A pipe with both transports, of which the reader reads.</summary>
    public static async Task<PipeEnds> OpenAsync(KernelStage stage, RecordingReadProtocol? reading = null, RecordingWriteProtocol? writing = null)
    {
        var pipe = new PipeEnds(stage);
        await pipe.OpenReaderAsync(reading);
        await pipe.OpenWriterAsync(writing);
        await stage.PassesAsync(2);
        return pipe;
    }

    /// <summary>A pipe whose reader has a transport that does not read, and whose kernel is full: part of what was written waits here.</summary>
    public static async Task<(PipeEnds Pipe, int Written)> OpenFullAsync(KernelStage stage)
    {
        var pipe = await OpenAsync(stage, new RecordingReadProtocol { OnMade = static transport => transport.PauseReading() });
        pipe.Writer.SetWriteBufferLimits(high: int.MaxValue);
        var written = 0;
        while (pipe.Writer.WriteBufferSize < 100_000)
        {
            Congestion.VerifyEnds(written);
            pipe.Writer.Write(Payload.At(written, 100_000));
            written += 100_000;
            await stage.SettleAsync();
        }

        return (pipe, written);
    }

    public async Task OpenReaderAsync(RecordingReadProtocol? reading = null)
    {
        Reading = _stage.Watch(reading ?? Reading);
        await _stage.Loop.ConnectReadPipeAsync(() => Reading, ReaderHandle);
    }

    public async Task OpenWriterAsync(RecordingWriteProtocol? writing = null)
    {
        Writing = _stage.Watch(writing ?? Writing);
        await _stage.Loop.ConnectWritePipeAsync(() => Writing, WriterHandle);
    }
}
