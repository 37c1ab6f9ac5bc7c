namespace Sluice.Testing.Checks.Protocols;

/// <summary>What a buffered protocol's exceptions and empty buffers do: the handler hears of them, and the connection is reset.</summary>
internal static class BufferedFailureChecks
{
    [Check("BUF-002", Needs = CheckNeeds.HalfClose)]
    public static Task GetBuffer_that_throws_resets_the_connection(CheckStage stage)
    {
        var failure = new FormatException("no buffer");
        return VerifyAsync(stage, "GetBuffer", failure, new RecordingBufferedProtocol { OnGetBuffer = _ => throw failure }, "ConnectionMade");
    }

    [Check("BUF-003", Needs = CheckNeeds.HalfClose)]
    public static async Task An_empty_buffer_resets_the_connection(CheckStage stage)
    {
        var reason = await VerifyAsync(stage, "GetBuffer", null, new RecordingBufferedProtocol { OnGetBuffer = static _ => Memory<byte>.Empty }, "ConnectionMade");

        Check.That(reason is InvalidOperationException);
        Check.Equal("GetBuffer() returned an empty buffer.", reason!.Message);
    }

    [Check("BUF-004", Needs = CheckNeeds.HalfClose)]
    public static Task BufferUpdated_that_throws_resets_the_connection(CheckStage stage)
    {
        var failure = new FormatException("not my bytes");
        return VerifyAsync(stage, "BufferUpdated", failure, new RecordingBufferedProtocol { OnData = _ => throw failure }, "ConnectionMade", "DataReceived");
    }

    [Check("BUF-007", Needs = CheckNeeds.HalfClose)]
    public static Task EofReceived_that_throws_resets_the_connection(CheckStage stage)
    {
        var failure = new FormatException("no end");
        return VerifyAsync(
            stage, "EofReceived", failure, new RecordingBufferedProtocol { OnEof = () => throw failure }, "ConnectionMade", "DataReceived", "EofReceived");
    }

    /// <summary>Sends five bytes and the end to a protocol that fails, and verifies who hears of it.</summary>
    private static async Task<Exception?> VerifyAsync(
        CheckStage stage, string callback, Exception? failure, RecordingBufferedProtocol protocol, params string[] shape)
    {
        var pair = await stage.ConnectAsync(() => protocol);

        pair.Server.Write("bytes"u8);
        pair.Server.WriteEof();

        var reason = await protocol.Record.Lost;
        var report = stage.ClaimReport();
        Check.Equal($"Fatal error: protocol.{callback}() call failed.", report.Message);
        Check.That(failure is null || ReferenceEquals(failure, reason), "ConnectionLost did not get the exception unchanged");
        Check.That(ReferenceEquals(reason, report.Exception));
        Check.That(ReferenceEquals(pair.Client, report.Transport));
        Check.That(ReferenceEquals(protocol, report.Protocol));
        Check.Trace(protocol.Record.Shape, [.. shape, $"ConnectionLost({ProtocolRecord.Describe(reason)})"]);
        var seenByPeer = await pair.ServerRecord.Lost;
        if (stage.AbortIsReset) Check.Equal("SocketException ConnectionReset", ProtocolRecord.Describe(seenByPeer));
        return reason;
    }
}
