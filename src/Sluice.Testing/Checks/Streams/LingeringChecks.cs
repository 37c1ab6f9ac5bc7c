using System.Net.Sockets;

namespace Sluice.Testing.Checks.Streams;

/// <summary>How long, and how many of, the connections that are closed may go on: for peers that still send, and for peers that take nothing more.</summary>
internal static class LingeringChecks
{
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(500);

    [Check("BUG-143", Needs = CheckNeeds.Alone)]
    public static async Task A_close_too_many_cuts_off_the_oldest_that_lingers_and_the_log_says_so_once(KernelStage stage)
    {
        const int Count = 6;
        var backend = stage.Loop.Core.Backend;
        backend.MaxLingering = 2;
        var before = stage.Loop.CutConnectionCount;
        var pairs = new List<StreamPair>();
        for (var i = 0; i < Count; i++) pairs.Add(await stage.ConnectAsync(client: static () => new RecordingProtocol { OnEof = static () => true }));

        foreach (var pair in pairs) pair.Server.Close();
        foreach (var pair in pairs) await pair.ServerRecord.Lost;
        await stage.PassesAsync(4);

        Check.Equal(Count - 2, stage.Loop.CutConnectionCount - before);
        Check.Equal(1, stage.Warnings.Count(static warning => warning.Contains("were cut off", StringComparison.Ordinal)));
        foreach (var pair in pairs) pair.Client.Close();
    }

    [Check("BUG-144", Needs = CheckNeeds.Tcp)]
    public static async Task A_peer_that_takes_nothing_more_ends_a_close_when_its_time_is_over(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader, clientOptions: new ConnectionOptions { ClosingTimeout = Soon });
        await Congestion.OverfillAsync(stage, pair.Client);
        var begun = stage.Loop.Time;

        pair.Client.Close();

        Check.That(await pair.ClientRecord.Lost is SocketException { SocketErrorCode: SocketError.TimedOut });
        Check.That(stage.Loop.Time - begun >= Soon);
        Check.Equal(0, pair.Client.WriteBufferSize);
    }

    [Check("BUG-144", Needs = CheckNeeds.VirtualTime)]
    public static async Task A_peer_that_reads_late_gets_everything_where_a_close_waits_for_ever(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader, clientOptions: new ConnectionOptions { ClosingTimeout = Timeout.InfiniteTimeSpan });
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        pair.Client.Close();
        await Task.Delay(TimeSpan.FromMinutes(10), stage.Loop.TimeProvider);
        Check.That(!pair.ClientRecord.Lost.IsCompleted);
        pair.Server.ResumeReading();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("BUG-144", Needs = CheckNeeds.VirtualTime)]
    public static async Task A_peer_that_reads_slowly_gets_everything_however_long_it_takes(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);
        pair.Client.Close();
        // Longer than a minute in all, and never a minute without a read.
        for (var round = 0; round < 4; round++)
        {
            var received = pair.ServerProtocol.Received.Length;
            pair.Server.ResumeReading();
            await stage.UntilAsync(() => pair.ServerProtocol.Received.Length > received || pair.ServerRecord.Lost.IsCompleted);
            pair.Server.PauseReading();
            await Task.Delay(TimeSpan.FromSeconds(25), stage.Loop.TimeProvider);
        }

        pair.Server.ResumeReading();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }
}
