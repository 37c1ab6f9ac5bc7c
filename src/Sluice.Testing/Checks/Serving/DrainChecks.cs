using System.Net.Sockets;
using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Draining a server: connections are told, may finish, and are cut off at the deadline.</summary>
internal static class DrainChecks
{
    private static readonly TimeSpan Forever = Timeout.InfiniteTimeSpan;
    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan InAnHour = TimeSpan.FromHours(1);

    [Check("SRV-050")]
    public static async Task A_drain_tells_every_connection_and_completes_when_the_last_has_finished(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var (first, second) = (await reception.ConnectAsync(), await reception.ConnectAsync());
        var address = reception.Server.EndPoints[0];

        var draining = reception.Server.DrainAsync(Forever);
        await stage.PassesAsync(2);

        Check.That(!reception.Server.IsServing && reception.Server.EndPoints.Count == 0);
        await Check.ThrowsAsync<SocketException>(() => reception.DialAsync(address));
        foreach (var served in reception.Served) Check.Trace(served.Trace, "ConnectionMade", "DrainRequested");
        Check.Equal(2, reception.Server.ConnectionCount);

        first.Server.Close();
        await first.ServerRecord.Lost;
        await stage.SettleAsync();
        Check.That(!draining.IsCompleted, "the drain did not wait for the last connection");
        second.Client.Close();

        Check.Equal(new DrainResult(2, 0), await draining);
        Check.Equal(0, reception.Server.ConnectionCount);
        Check.That(reception.Server.WaitClosedAsync().IsCompletedSuccessfully);
        Check.Trace(first.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("SRV-050")]
    public static async Task What_a_connection_still_says_during_a_drain_arrives(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, RecordingProtocol.Echo);
        var pair = await reception.ConnectAsync();
        pair.ServerProtocol.OnDrain = () => pair.Server.Write("last orders"u8);

        var draining = reception.Server.DrainAsync(Forever);
        await pair.ClientProtocol.WaitForBytesAsync(11);
        pair.Client.Write(Payload.Of(100_000));
        await pair.ClientProtocol.WaitForBytesAsync(100_011);
        pair.Client.Close();

        Check.Equal(new DrainResult(1, 0), await draining);
        Check.Bytes(Payload.Of(100_000), pair.ClientProtocol.Received[11..]);
    }

    [Check("SRV-051")]
    public static async Task At_the_deadline_what_is_left_is_aborted(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var (stays, goes) = (await reception.ConnectAsync(), await reception.ConnectAsync());
        goes.ServerProtocol.OnDrain = goes.Server.Close;
        var begun = stage.Loop.Time;

        var result = await reception.Server.DrainAsync(Soon);

        Check.Equal(new DrainResult(1, 1), result);
        Check.That(stage.Loop.Time - begun >= Soon);
        Check.Trace(stays.ServerProtocol.Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
        Check.Equal(stage.IsTcp, await stays.ClientProtocol.Lost is SocketException { SocketErrorCode: SocketError.ConnectionReset });
        Check.That(await goes.ClientProtocol.Lost is null);
    }

    [Check("SRV-051", Needs = CheckNeeds.VirtualTime)]
    public static async Task The_deadline_is_kept_to_the_tick(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        var begun = stage.Loop.Time;
        pair.ServerProtocol.OnLost = _ => Check.Equal(InAnHour, stage.Loop.Time - begun);

        Check.Equal(new DrainResult(0, 1), await reception.Server.DrainAsync(InAnHour));

        Check.Equal(InAnHour, stage.Loop.Time - begun);
        Check.Equal(0, stage.Reports.Count);
    }

    [Check("SRV-051")]
    public static async Task A_deadline_of_zero_aborts_at_once_and_tells_nobody(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();

        var draining = reception.Server.DrainAsync(TimeSpan.Zero);
        Check.That(pair.Server.IsClosing);

        Check.Equal(new DrainResult(0, 1), await draining);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    [Check("SRV-051")]
    public static async Task A_writer_that_is_stuck_is_cut_off_at_the_deadline(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync(Congestion.NonReader());
        await Congestion.FillAsync(stage, pair.Server);
        pair.ServerProtocol.OnDrain = pair.Server.Close;

        Check.Equal(new DrainResult(0, 1), await reception.Server.DrainAsync(Soon));

        Check.Equal("ConnectionLost(null)", pair.ServerProtocol.Trace[^1]);
        Check.Equal(0, pair.Server.WriteBufferSize);
    }

    [Check("SRV-052")]
    public static async Task A_second_drain_joins_the_first_and_the_earlier_deadline_counts(KernelStage stage)
    {
        foreach (var deadlines in (TimeSpan[][])[[InAnHour, Soon], [Soon, InAnHour], [Soon, Forever], [Forever, Soon], [InAnHour, TimeSpan.Zero]])
        {
            var reception = await Reception.OpenAsync(stage);
            var pair = await reception.ConnectAsync();
            var begun = stage.Loop.Time;

            var first = reception.Server.DrainAsync(deadlines[0]);
            await stage.PassesAsync(2);
            var second = reception.Server.DrainAsync(deadlines[1]);

            Check.Equal(new DrainResult(0, 1), await first);
            Check.Equal(new DrainResult(0, 1), await second);
            Check.That(stage.Loop.Time - begun < InAnHour, "the later deadline counted");
            Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
        }
    }

    [Check("SRV-050")]
    public static async Task A_drain_with_nobody_there_completes(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: new ServerOptions { StartServing = false });

        Check.Equal(default, await reception.Server.DrainAsync(Forever));
        Check.Equal(default, await reception.Server.DrainAsync(TimeSpan.Zero));
        await Check.ThrowsAsync<InvalidOperationException>(reception.Server.StartServingAsync);
    }

    [Check("SRV-050")]
    public static async Task A_closed_server_can_be_drained_of_its_connections(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        reception.Server.Close();
        pair.ServerProtocol.OnDrain = pair.Server.Close;

        Check.Equal(new DrainResult(1, 0), await reception.Server.DrainAsync(Forever));
    }

    [Check("SRV-050")]
    public static Task A_negative_deadline_is_refused_at_the_call(KernelStage stage)
    {
        Check.Throws<ArgumentOutOfRangeException>(
            () => _ = stage.Loop.CreateServerAsync(() => new RecordingProtocol(), stage.CreateListenAddress(), new ServerOptions { DrainTimeout = TimeSpan.FromSeconds(-2) }));
        return Refused();

        async Task Refused()
        {
            var reception = await Reception.OpenAsync(stage);
            Check.Throws<ArgumentOutOfRangeException>(() => _ = reception.Server.DrainAsync(TimeSpan.FromSeconds(-2)));
            Check.That(reception.Server.IsServing);
            reception.Server.Close();
        }
    }

    [Check("SRV-050", "BUG-040")]
    public static async Task A_drain_while_connections_arrive_lets_the_late_ones_go(KernelStage stage)
    {
        for (var passes = 0; passes < 12; passes++)
        {
            var reception = await Reception.OpenAsync(
                stage,
                static () =>
                {
                    var protocol = new RecordingProtocol();
                    protocol.OnDrain = () => protocol.Transport.Close();
                    return protocol;
                },
                new ServerOptions { DrainGrace = TimeSpan.Zero, DrainServesBacklog = passes % 2 == 0 });
            var address = reception.Server.EndPoints[0];
            var connects = Enumerable.Range(0, 20).Select(_ => reception.DialAsync(address)).ToArray();

            await stage.PassesAsync(passes);
            var draining = reception.Server.DrainAsync(Forever);
            var accepted = reception.Served.Count;
            var most = passes % 2 == 0 ? connects.Length : accepted;

            foreach (var connect in connects)
            {
                try
                {
                    await (await connect).Protocol.Lost;
                }
                catch (SocketException)
                {
                    // It came too late.
                }
            }

            var result = await draining;
            Check.Equal(new DrainResult(reception.Served.Count, 0), result);
            Check.That(accepted <= reception.Served.Count && reception.Served.Count <= most);
            foreach (var served in reception.Served) Check.Trace(served.Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
        }
    }
}
