using System.Runtime.InteropServices;
using Sluice.Backends;
using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Connecting;

/// <summary>Sockets that come with options of somebody else's, or inherit them from a listener: a close does what it always does, and short messages are read.</summary>
internal static class ForeignOptionChecks
{
    /// <summary>Longer than a stage waits for the end of a check: a close that lingers is seen as one that holds the loop.</summary>
    private const int LongLinger = 300;

    [Check("BUG-140", Needs = CheckNeeds.Tcp)]
    public static async Task A_linger_that_an_adopted_socket_brings_along_neither_holds_nor_resets_a_close(KernelStage stage)
    {
        foreach (var seconds in (int[])[0, LongLinger])
        {
            var (first, second) = stage.CreateSocketPair();
            stage.SetLinger(first, seconds);
            var (near, writer) = await stage.Loop.AdoptAsync(() => stage.Watch(HalfOpen()), first);
            var (far, reader) = await stage.Loop.AdoptAsync(() => stage.Watch(Congestion.NonReader()), second);

            await SendAllBeforeTheEndAsync(stage, (near, writer), (far, reader));
        }
    }

    [Check("BUG-140", Needs = CheckNeeds.Tcp)]
    public static async Task A_linger_that_a_connection_inherits_from_its_listener_neither_holds_nor_resets_a_close(KernelStage stage)
    {
        foreach (var ownership in (ListenerOwnership[])[ListenerOwnership.Owned, ListenerOwnership.Borrowed])
        {
            foreach (var seconds in (int[])[0, LongLinger])
            {
                using var listener = stage.CreateBoundSocket(stage.CreateListenAddress(), listens: true);
                stage.SetLinger(listener, seconds);
                var (near, writer, far, reader) = await ConnectAsync(stage, listener, ownership);

                await SendAllBeforeTheEndAsync(stage, (near, writer), (far, reader));
            }
        }
    }

    [Check("BUG-140", Needs = CheckNeeds.Reset)]
    public static async Task An_abort_resets_whatever_linger_the_socket_came_with(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        stage.SetLinger(first, LongLinger);
        var (near, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first);
        var (_, reader) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second);

        near.Abort();

        Check.Equal("SocketException ConnectionReset", ProtocolRecord.Describe(await reader.Lost));
    }

    [Check("BUG-141", Needs = CheckNeeds.Tcp)]
    public static async Task A_request_shorter_than_the_low_water_mark_of_an_adopted_socket_is_read(KernelStage stage)
    {
        var (first, second) = stage.CreateSocketPair();
        stage.SetReceiveLowWater(first, 1000);
        var (_, reader) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), first);
        var (far, _) = await stage.Loop.AdoptAsync(() => stage.Watch(new RecordingProtocol()), second);

        far.Write("short"u8);

        await reader.WaitForBytesAsync(5);
    }

    [Check("BUG-141", Needs = CheckNeeds.Tcp)]
    public static async Task A_request_shorter_than_the_low_water_mark_of_the_listener_is_read(KernelStage stage)
    {
        using var listener = stage.CreateBoundSocket(stage.CreateListenAddress(), listens: true);
        stage.SetReceiveLowWater(listener, 1000);
        var (_, served, far, _) = await ConnectAsync(stage, listener, ListenerOwnership.Borrowed);

        far.Write("short"u8);

        await served.WaitForBytesAsync(5);
    }

    private static RecordingProtocol HalfOpen() => new() { OnEof = static () => true };

    private static async Task<(ITransport Near, RecordingProtocol Writer, ITransport Far, RecordingProtocol Reader)> ConnectAsync(
        KernelStage stage, SafeHandle listener, ListenerOwnership ownership)
    {
        var served = stage.Watch(HalfOpen());
        var server = await stage.Loop.ServeHandlesAsync(() => served, [listener], ownership);
        var (far, reader) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(Congestion.NonReader()), server.EndPoints[0]);
        await served.Made;
        server.Close();
        return (served.Transport, served, far, reader);
    }

    /// <summary>The peer has ended its own side and reads late, so that the descriptor goes while much of what was written is still in the kernel.</summary>
    private static async Task SendAllBeforeTheEndAsync(
        KernelStage stage, (ITransport Transport, RecordingProtocol Protocol) near, (ITransport Transport, RecordingProtocol Protocol) far)
    {
        far.Transport.WriteEof();
        await near.Protocol.WaitForEofAsync();
        var written = await Congestion.OverfillAsync(stage, near.Transport);

        near.Transport.Close();
        far.Transport.ResumeReading();

        Check.That(await near.Protocol.Lost is null);
        Check.That(await far.Protocol.Lost is null);
        Check.Bytes(Payload.Of(written), far.Protocol.Received);
    }
}
