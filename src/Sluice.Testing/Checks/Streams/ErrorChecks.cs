using System.Net.Sockets;

namespace Sluice.Testing.Checks.Streams;

/// <summary>What ends a connection against its will: errors of the kernel go silently to ConnectionLost, exceptions of callbacks are reported too.</summary>
internal static class ErrorChecks
{
    private const int BrokenPipe = 32;
    private const int ConnectionAborted = 103;
    private const int ConnectionReset = 104;
    private const int TimedOut = 110;

    [Check("TCP-012", "TCP-013", "TCP-014", "TCP-015", Needs = CheckNeeds.Faults)]
    public static async Task A_failed_read_reaches_ConnectionLost_and_no_handler(KernelStage stage)
    {
        foreach (var (errno, reason) in ((int, SocketError)[])
            [(ConnectionReset, SocketError.ConnectionReset), (ConnectionAborted, SocketError.ConnectionAborted), (TimedOut, SocketError.TimedOut)])
        {
            var pair = await stage.ConnectAsync(server: Congestion.NonReader);

            stage.Faults!.FailNextRead(errno);

            Check.Equal($"SocketException {reason}", ProtocolRecord.Describe(await pair.ClientRecord.Lost));
            Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", $"ConnectionLost(SocketException {reason})");
            Check.Equal(0, stage.Reports.Count);
            pair.Server.Close();
            await pair.ServerRecord.Lost;
        }
    }

    [Check("TCP-033", "TCP-015", Needs = CheckNeeds.Faults)]
    public static async Task A_write_that_fails_at_once_returns_and_the_loss_follows(KernelStage stage)
    {
        foreach (var length in (int[])[10, 50_000])
        {
            var pair = await stage.ConnectAsync();

            stage.Faults!.FailNextWrite(BrokenPipe);
            pair.Client.Write(Payload.Of(length));
            Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
            pair.Client.Write(Payload.Of(length));

            Check.Equal("SocketException Shutdown", ProtocolRecord.Describe(await pair.ClientRecord.Lost));
            Check.Equal(0, pair.Client.WriteBufferSize);
            Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(SocketException Shutdown)");
            await pair.ServerRecord.Lost;
        }
    }

    [Check("TCP-034", Needs = CheckNeeds.Faults)]
    public static async Task A_queued_write_that_fails_drops_the_queue(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        await Congestion.OverfillAsync(stage, pair.Client);

        stage.Faults!.FailNextWrite(TimedOut);
        pair.Server.ResumeReading();

        Check.Equal("SocketException TimedOut", ProtocolRecord.Describe(await pair.ClientRecord.Lost));
        Check.Equal(0, pair.Client.WriteBufferSize);
        await pair.ServerRecord.Lost;
    }

    [Check("TCP-071", "BUG-009", Needs = CheckNeeds.Reset)]
    public static async Task Writing_into_a_reset_gives_the_reset_as_the_reason(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(client: Congestion.NonReader);
        pair.Server.Abort();
        await stage.SettleAsync();

        pair.Client.Write("one"u8);
        pair.Client.Write(Payload.Of(10_000));

        Check.Equal("SocketException ConnectionReset", ProtocolRecord.Describe(await pair.ClientRecord.Lost));
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(SocketException ConnectionReset)");
    }

    [Check("TCP-016", "TCP-017", "BUG-010")]
    public static Task An_exception_in_DataReceived_is_reported_and_ends_the_connection(CheckStage stage) =>
        FailInDataAsync(stage, new FormatException("bad line"));

    [Check("TCP-016", "TCP-017", "BUG-010")]
    public static Task A_socket_exception_of_a_callback_is_the_callbacks_own_and_reported_too(CheckStage stage) =>
        FailInDataAsync(stage, new SocketException((int)SocketError.ConnectionRefused));

    [Check("TCP-017")]
    public static async Task What_a_failing_callback_had_written_is_handed_over_before_the_reset(CheckStage stage)
    {
        RecordingProtocol? client = null;
        var pair = await stage.ConnectAsync(client: () => client = new RecordingProtocol
        {
            OnData = _ =>
            {
                client!.Transport.Write("parting words"u8);
                throw new FormatException();
            },
        });
        var leftOver = -1;
        var handler = stage.Loop.ExceptionHandler!;
        stage.Loop.ExceptionHandler = (loop, context) =>
        {
            leftOver = pair.Client.WriteBufferSize;
            handler(loop, context);
        };

        pair.Server.Write("x"u8);
        await pair.ClientRecord.Lost;
        await pair.ServerRecord.Lost;

        stage.ClaimReport();
        if (stage.TakesAtOnce) Check.Equal(0, leftOver);
        if (leftOver == 0) Check.Bytes("parting words"u8, pair.ServerProtocol.Received);
    }

    [Check("TCP-016")]
    public static async Task A_handler_that_closes_changes_neither_the_exception_nor_the_reset(CheckStage stage)
    {
        var failure = new FormatException();
        var pair = await stage.ConnectAsync(client: () => new RecordingProtocol { OnData = _ => throw failure });
        var handler = stage.Loop.ExceptionHandler!;
        stage.Loop.ExceptionHandler = (loop, context) =>
        {
            pair.Client.Close();
            handler(loop, context);
        };

        pair.Server.Write("x"u8);
        var clientsReason = await pair.ClientRecord.Lost;
        var serversReason = await pair.ServerRecord.Lost;

        stage.ClaimReport();
        Check.That(ReferenceEquals(failure, clientsReason), $"ConnectionLost got {ProtocolRecord.Describe(clientsReason)}");
        Check.That(!stage.AbortIsReset || serversReason is not null, "the peer saw no reset");
    }

    [Check("TCP-020", Needs = CheckNeeds.HalfClose)]
    public static async Task An_exception_in_EofReceived_is_reported_and_ends_the_connection(CheckStage stage)
    {
        var exception = new FormatException("unexpected end");
        var pair = await stage.ConnectAsync(client: () => new RecordingProtocol { OnEof = () => throw exception });

        pair.Server.WriteEof();

        Check.That(ReferenceEquals(exception, await pair.ClientRecord.Lost));
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(FormatException)");
        VerifyReport(stage, pair, "Fatal error: protocol.EofReceived() call failed.", exception);
        await pair.ServerRecord.Lost;
    }

    [Check("TCP-067")]
    public static async Task An_exception_in_ConnectionMade_is_reported_and_the_connection_lives(CheckStage stage)
    {
        var exception = new FormatException("bad start");
        var pair = await stage.ConnectAsync(client: () => new RecordingProtocol { OnMade = _ => throw exception });
        VerifyReport(stage, pair, "Exception in callback protocol.ConnectionMade()", exception);

        pair.Server.Write("and yet it reads"u8);
        await pair.ClientProtocol.WaitForBytesAsync(16);
        pair.Client.Close();

        Check.That(await pair.ClientRecord.Lost is null);
    }

    [Check("TCP-016")]
    public static async Task Exceptions_in_PauseWriting_and_ResumeWriting_are_only_reported(CheckStage stage)
    {
        var exception = new FormatException("not now");
        var pair = await stage.ConnectAsync(
            () => new RecordingProtocol { OnPause = () => throw exception, OnResume = () => throw exception },
            Congestion.NonReader);

        await Congestion.OverfillAsync(stage, pair.Client);
        VerifyReport(stage, pair, "protocol.PauseWriting() failed", exception);
        pair.Server.ResumeReading();
        await stage.UntilAsync(() => stage.Reports.Count > 0);
        VerifyReport(stage, pair, "protocol.ResumeWriting() failed", exception);

        pair.Client.Close();
        Check.That(await pair.ClientRecord.Lost is null);
    }

    private static async Task FailInDataAsync(CheckStage stage, Exception exception)
    {
        var pair = await stage.ConnectAsync(client: () => new RecordingProtocol { OnData = _ => throw exception });

        // More than one read brings.
        pair.Server.Write(Payload.Of(600_000));

        Check.That(ReferenceEquals(exception, await pair.ClientRecord.Lost));
        Check.Trace(pair.ClientProtocol.Record.Shape, "ConnectionMade", "DataReceived", $"ConnectionLost({ProtocolRecord.Describe(exception)})");
        Check.Equal(3, pair.ClientProtocol.Trace.Count);
        VerifyReport(stage, pair, "Fatal error: protocol.DataReceived() call failed.", exception);
        var peers = await pair.ServerRecord.Lost;
        Check.That(!stage.AbortIsReset || peers is SocketException { SocketErrorCode: SocketError.ConnectionReset }, "the peer saw no reset");
    }

    private static void VerifyReport(CheckStage stage, StreamPair pair, string message, Exception exception)
    {
        var report = stage.ClaimReport();
        Check.Equal(message, report.Message);
        Check.That(ReferenceEquals(exception, report.Exception));
        Check.That(ReferenceEquals(pair.Client, report.Transport));
        Check.That(ReferenceEquals(pair.ClientProtocol, report.Protocol));
    }
}
