using System.Net.Sockets;
using Sluice.Testing.Checks.Streams;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Files;

/// <summary>What callers and protocols see while a file is on its way.</summary>
internal static class SendFileFlowChecks
{
    // Not below the segments of a loopback device: their sender would wait for delayed acknowledgements.
    private const int SmallBuffer = 128 * 1024;

    [Check("SENDFILE-010")]
    public static async Task Nothing_else_can_be_written_meanwhile_and_the_file_arrives_unharmed(KernelStage stage)
    {
        var (pair, sending, file) = await BeginAsync(stage);
        using var open = file;

        Check.Throws<InvalidOperationException>(() => pair.Client.Write("x"u8));
        Check.Throws<InvalidOperationException>(() => pair.Client.WriteLines([new byte[1]]));
        Check.Throws<InvalidOperationException>(() => pair.Client.GetMemory(1));
        Check.Throws<InvalidOperationException>(() => pair.Client.WriteEof());
        Check.Throws<InvalidOperationException>(() => stage.Loop.SendFileAsync(pair.Client, file.Stream));
        Check.That(!sending.IsCompleted);

        pair.Server.ResumeReading();
        Check.Equal(TemporaryFile.Large, await sending);
        pair.Client.Write("behind"u8);
        await pair.ServerProtocol.WaitForBytesAsync(TemporaryFile.Large + 6);
        Check.Bytes([.. Payload.Of(TemporaryFile.Large), .. "behind"u8], pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-018")]
    public static async Task A_file_waits_for_a_peer_that_does_not_read_and_keeps_no_loop_busy(KernelStage stage)
    {
        var (pair, sending, file) = await BeginAsync(stage);
        using var open = file;
        await stage.SettleAsync();
        Check.That(!sending.IsCompleted, "the kernel took a megabyte for a peer that does not read");
        Check.Equal(0, pair.Client.WriteBufferSize, "a file fills no buffer of the transport's");

        pair.Server.ResumeReading();
        Check.Equal(TemporaryFile.Large, await sending);
        await pair.ServerProtocol.WaitForBytesAsync(TemporaryFile.Large);
        Check.Bytes(Payload.Of(TemporaryFile.Large), pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-018")]
    public static async Task A_cancelled_file_goes_no_further_and_the_connection_lives_on(KernelStage stage)
    {
        foreach (var isStandIn in (bool[])[false, true])
        {
            using var cancellation = new CancellationTokenSource();
            var (pair, sending, file) = await BeginAsync(stage, isStandIn, cancellation: cancellation.Token);
            using var open = file;

            cancellation.Cancel();
            Check.Equal(cancellation.Token, (await Check.ThrowsAsync<OperationCanceledException>(() => sending)).CancellationToken);
            var sent = (int)file.Stream.Position;
            Check.That(sent is > 0 and < TemporaryFile.Large, $"{sent} bytes were sent");
            pair.Client.Write("behind"u8);
            pair.Server.ResumeReading();

            await pair.ServerProtocol.WaitForBytesAsync(sent + 6);
            await stage.SettleAsync();
            Check.Bytes([.. Payload.Of(sent), .. "behind"u8], pair.ServerProtocol.Received);
            Check.That(pair.Client.IsReading);
        }
    }

    [Check("SENDFILE-018")]
    public static async Task A_file_that_is_cancelled_behind_a_full_buffer_sends_nothing(KernelStage stage)
    {
        using var cancellation = new CancellationTokenSource();
        using var file = new TemporaryFile(1000);
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        var sending = stage.Loop.SendFileAsync(pair.Client, file.Stream, cancellationToken: cancellation.Token);
        await Task.Factory.StartNew(cancellation.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await Check.ThrowsAsync<OperationCanceledException>(() => sending);
        pair.Server.ResumeReading();

        await pair.ServerProtocol.WaitForBytesAsync(written);
        await stage.SettleAsync();
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
        Check.Equal(0, file.Stream.Position);
    }

    [Check("SENDFILE-013")]
    public static async Task Reading_is_paused_meanwhile_and_goes_on_afterwards(CheckStage stage)
    {
        foreach (var isStandIn in (bool[])[false, true])
        {
            var (pair, sending, file) = await BeginAsync(stage, isStandIn);
            using var open = file;
            Check.That(!pair.Client.IsReading);
            pair.Server.Write("hello"u8);
            await stage.SettleAsync();
            Check.Equal(0, pair.ClientProtocol.Received.Length);

            pair.Server.ResumeReading();
            await sending;
            await pair.ClientProtocol.WaitForBytesAsync(5);
            Check.That(ReferenceEquals(pair.ClientProtocol, pair.Client.Protocol));
        }
    }

    [Check("SENDFILE-013")]
    public static async Task Reading_that_was_paused_stays_so(CheckStage stage)
    {
        foreach (var isStandIn in (bool[])[false, true])
        {
            var (pair, sending, file) = await BeginAsync(stage, isStandIn, prepare: static pair => pair.Client.PauseReading());
            using var open = file;
            pair.Server.ResumeReading();
            await sending;
            Check.That(!pair.Client.IsReading);
        }
    }

    [Check("SENDFILE-013")]
    public static async Task A_pause_that_the_user_asks_for_meanwhile_stays(KernelStage stage)
    {
        var (pair, sending, file) = await BeginAsync(stage);
        using var open = file;
        pair.Client.PauseReading();
        pair.Server.ResumeReading();
        await sending;
        Check.That(!pair.Client.IsReading);
    }

    [Check("SENDFILE-013")]
    public static async Task A_protocol_that_had_to_pause_is_told_to_go_on_once_the_file_is_sent(CheckStage stage)
    {
        foreach (var isStandIn in (bool[])[false, true])
        {
            var pair = await stage.ConnectAsync(server: Congestion.NonReader);
            var written = await Congestion.OverfillAsync(stage, pair.Client);
            Check.That(pair.ClientRecord.IsWritingPaused);
            using var file = new TemporaryFile(200_000);

            var sending = stage.Loop.SendFileAsync(isStandIn ? new StandInTransport(pair.Client) : pair.Client, file.Stream);
            pair.Server.ResumeReading();
            await sending;
            await stage.UntilAsync(() => !pair.ClientRecord.IsWritingPaused);
            await pair.ServerProtocol.WaitForBytesAsync(written + 200_000);
            Check.Bytes([.. Payload.Of(written), .. Payload.Of(200_000)], pair.ServerProtocol.Received);
        }
    }

    [Check("SENDFILE-013")]
    public static async Task The_fallback_heeds_the_watermarks_and_leaves_the_protocol_knowing_where_they_stand(CheckStage stage)
    {
        using var cancellation = new CancellationTokenSource();
        var (pair, sending, file) = await BeginAsync(stage, isStandIn: true, cancellation: cancellation.Token);
        using var open = file;
        Check.That(pair.Client.WriteBufferSize <= pair.Client.WriteBufferLimits.High + (16 * 1024), $"{pair.Client.WriteBufferSize} bytes wait");
        Check.That(!pair.ClientRecord.IsWritingPaused);

        cancellation.Cancel();
        await Check.ThrowsAsync<OperationCanceledException>(() => sending);
        Check.That(pair.ClientRecord.IsWritingPaused, "the buffer is above its high watermark, and the protocol does not know");
        pair.Server.ResumeReading();
        await stage.UntilAsync(() => !pair.ClientRecord.IsWritingPaused);
    }

    [Check("SENDFILE-013")]
    public static async Task A_protocol_with_its_own_buffer_gets_its_place_back(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(client: static () => new RecordingBufferedProtocol());
        using var file = new TemporaryFile(100_000);
        await stage.Loop.SendFileAsync(new StandInTransport(pair.Client), file.Stream);
        pair.Server.Write("hello"u8);
        await pair.ClientRecord.WaitForBytesAsync(5);
        Check.Bytes("hello"u8, pair.ClientRecord.Received);
    }

    [Check("SENDFILE-013")]
    public static async Task What_arrives_while_a_private_protocol_stands_in_is_an_error(CheckStage stage)
    {
        var (pair, sending, file) = await BeginAsync(stage, isStandIn: true);
        using var open = file;
        pair.Server.Write("hello"u8);
        pair.Client.ResumeReading();

        await Check.ThrowsAsync<SocketException>(() => sending);
        Check.That(await pair.ClientRecord.Lost is InvalidOperationException);
        Check.Equal("Fatal error: protocol.DataReceived() call failed.", stage.ClaimReport().Message);
    }

    /// <summary>Begins to send a large file to a peer that does not read; some of it has left.</summary>
    public static async Task<(StreamPair Pair, Task<long> Sending, TemporaryFile File)> BeginAsync(
        CheckStage stage, bool isStandIn = false, Action<StreamPair>? prepare = null, CancellationToken cancellation = default)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        pair.Client.GetExtraInfo(ExtraInfo.Socket)?.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, SmallBuffer);
        prepare?.Invoke(pair);
        var file = new TemporaryFile(TemporaryFile.Large);
        var way = isStandIn ? new StandInTransport(pair.Client) : pair.Client;
        var sending = stage.Loop.SendFileAsync(way, file.Stream, cancellationToken: cancellation);

        // The fallback may read on other threads: passes alone do not bring it anywhere.
        var isNative = !isStandIn && stage is KernelStage && pair.Client.GetExtraInfo(ExtraInfo.Tls) is null;
        if (!isNative) await stage.UntilAsync(() => pair.Client.WriteBufferSize > pair.Client.WriteBufferLimits.High);
        await stage.SettleAsync();
        return (pair, sending, file);
    }
}
