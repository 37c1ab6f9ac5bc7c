using System.Net.Sockets;
using Sluice.Testing.Checks.Streams;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Files;

/// <summary>Connections, files and kernels that fail while a file is on its way.</summary>
internal static class SendFileEndChecks
{
    private const int EIO = 5;
    private const int EINVAL = 22;
    private const int EPIPE = 32;

    [Check("SENDFILE-011")]
    public static async Task A_peer_that_closes_when_it_has_everything_harms_nothing(CheckStage stage)
    {
        foreach (var isStandIn in (bool[])[false, true])
        {
            using var file = new TemporaryFile(TemporaryFile.Large);
            var server = new RecordingProtocol();
            server.OnData = _ =>
            {
                if (server.Received.Length == TemporaryFile.Large) server.Transport.Close();
            };
            var pair = await stage.ConnectAsync(server: () => server);

            Check.Equal(TemporaryFile.Large, await stage.Loop.SendFileAsync(isStandIn ? new StandInTransport(pair.Client) : pair.Client, file.Stream));
            Check.That(await pair.ClientRecord.Lost is null);
            Check.Bytes(Payload.Of(TemporaryFile.Large), server.Received);
        }
    }

    [Check("SENDFILE-012", Needs = CheckNeeds.Reset)]
    public static async Task A_peer_that_goes_in_the_middle_fails_the_task_and_the_position_says_how_far_it_came(CheckStage stage)
    {
        foreach (var isStandIn in (bool[])[false, true])
        {
            var (pair, sending, file) = await SendFileFlowChecks.BeginAsync(stage, isStandIn);
            using var open = file;
            var server = pair.ServerProtocol;
            server.OnData = _ => server.Transport.Abort();
            pair.Server.ResumeReading();

            var failure = await Check.ThrowsAsync<SocketException>(() => sending);
            Check.That(failure.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown, $"the error is {failure.SocketErrorCode}");
            Check.That(pair.Client.IsClosing);
            Check.That(await pair.ClientRecord.Lost is SocketException);
            var received = server.Received.Length;
            Check.Bytes(Payload.Of(received), server.Received);
            Check.That(file.Stream.Position >= received && file.Stream.Position < TemporaryFile.Large, $"position {file.Stream.Position}, received {received}");
        }
    }

    [Check("SENDFILE-012")]
    public static async Task Close_and_abort_end_the_sending(CheckStage stage)
    {
        foreach (var isStandIn in (bool[])[false, true])
        {
            foreach (var isAbort in (bool[])[false, true])
            {
                var (pair, sending, file) = await SendFileFlowChecks.BeginAsync(stage, isStandIn);
                using var open = file;
                if (isAbort) pair.Client.Abort();
                else pair.Client.Close();
                pair.Server.ResumeReading();

                Check.Equal(SocketError.ConnectionAborted, (await Check.ThrowsAsync<SocketException>(() => sending)).SocketErrorCode);
                Check.That(await pair.ClientRecord.Lost is null);
                await pair.ServerRecord.Lost;
                var received = pair.ServerProtocol.Received.Length;
                Check.Bytes(Payload.Of(received), pair.ServerProtocol.Received);
                Check.That(file.Stream.Position is > 0 and < TemporaryFile.Large && file.Stream.Position >= received);
                Check.That(isAbort || file.Stream.Position == received, "what was sent before a close arrives");
            }
        }
    }

    [Check("SENDFILE-022")]
    public static async Task A_protocol_in_the_relay_s_place_ends_the_sending_and_has_the_connection(CheckStage stage)
    {
        var (pair, sending, file) = await SendFileFlowChecks.BeginAsync(stage, isStandIn: true);
        using var open = file;
        var heir = new RecordingProtocol();

        pair.Client.SetProtocol(heir);

        Check.That((await Check.ThrowsAsync<InvalidOperationException>(() => sending)).Message.Contains("another protocol", StringComparison.Ordinal));
        Check.That(ReferenceEquals(pair.Client.Protocol, heir));
        pair.Client.SetProtocol((IProtocol<ITransport>)pair.ClientProtocol);
        pair.Server.ResumeReading();
        pair.Client.Close();
        Check.That(await pair.ClientRecord.Lost is null);
    }

    [Check("SENDFILE-012")]
    public static async Task A_close_behind_a_full_buffer_still_sends_what_was_written(KernelStage stage)
    {
        using var file = new TemporaryFile(1000);
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        var sending = stage.Loop.SendFileAsync(pair.Client, file.Stream);
        pair.Client.Close();
        await Check.ThrowsAsync<SocketException>(() => sending);
        pair.Server.ResumeReading();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-004", "SENDFILE-019", Needs = CheckNeeds.Faults)]
    public static async Task A_kernel_that_cannot_do_it_leaves_it_to_the_fallback(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        using var file = new TemporaryFile(50_000);
        stage.Faults!.FailNextSendFile(EINVAL);
        Check.Equal(50_000, await stage.Loop.SendFileAsync(pair.Client, file.Stream));
        await pair.ServerProtocol.WaitForBytesAsync(50_000);
        Check.Bytes(Payload.Of(50_000), pair.ServerProtocol.Received);
        Check.That(pair.Client.IsReading);
    }

    [Check("SENDFILE-005", "SENDFILE-019", Needs = CheckNeeds.Faults)]
    public static async Task A_kernel_that_cannot_do_it_says_so_where_the_fallback_is_not_allowed(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        using var file = new TemporaryFile(50_000);
        stage.Faults!.FailNextSendFile(EINVAL);
        await Check.ThrowsAsync<SendFileNotAvailableException>(() => stage.Loop.SendFileAsync(pair.Client, file.Stream, fallback: false));
        await stage.SettleAsync();
        Check.Equal(0, file.Stream.Position);
        Check.Equal(0, pair.ServerProtocol.Received.Length);
        Check.That(pair.Client.IsReading && !pair.Client.IsClosing);
    }

    [Check("SENDFILE-019", Needs = CheckNeeds.Faults)]
    public static async Task A_file_that_fails_later_fails_the_task_and_not_the_connection(KernelStage stage)
    {
        var (pair, sending, file) = await SendFileFlowChecks.BeginAsync(stage);
        using var open = file;
        stage.Faults!.FailNextSendFile(EIO);
        pair.Server.ResumeReading();

        await Check.ThrowsAsync<IOException>(() => sending);
        var sent = (int)file.Stream.Position;
        pair.Client.Write("behind"u8);
        await pair.ServerProtocol.WaitForBytesAsync(sent + 6);
        Check.Bytes([.. Payload.Of(sent), .. "behind"u8], pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-019", Needs = CheckNeeds.Faults)]
    public static async Task A_broken_connection_is_no_reason_to_try_the_fallback(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        using var file = new TemporaryFile(50_000);
        stage.Faults!.FailNextSendFile(EPIPE);
        var failure = await Check.ThrowsAsync<SocketException>(() => stage.Loop.SendFileAsync(pair.Client, file.Stream));
        Check.Equal(SocketError.Shutdown, failure.SocketErrorCode);
        Check.That(await pair.ClientRecord.Lost is SocketException);
        Check.Equal(0, file.Stream.Position);
    }
}
