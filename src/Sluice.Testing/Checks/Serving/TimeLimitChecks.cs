using System.Net.Sockets;
using Sluice.Testing.Checks.Streams;
using Sluice.Testing.Checks.Tls;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Limits of time: idle connections, peers that send slowly or nothing, and what does not count against them.</summary>
internal static class TimeLimitChecks
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private static readonly ServerOptions AnHourIdle = new() { IdleTimeout = Hour };

    [Check("SRV-070")]
    public static async Task A_connection_on_which_nothing_moves_is_aborted_after_the_idle_time(KernelStage stage)
    {
        foreach (var tls in (bool[])[false, true])
        {
            var pair = await ConnectAsync(stage, AnHourIdle with { Tls = tls ? TestTls.Default.Server : null });
            await stage.PassTimeAsync(59 * Minute);
            Check.That(!pair.ServerRecord.Lost.IsCompleted, "it was aborted early");

            await stage.PassTimeAsync(2 * Minute);
            await VerifyLimitAsync(pair, ConnectionLimit.IdleTimeout);
            await pair.ClientRecord.Lost;
        }
    }

    [Check("SRV-070")]
    public static async Task Bytes_of_either_direction_give_it_time_anew(KernelStage stage)
    {
        var pair = await ConnectAsync(stage, AnHourIdle);
        for (var round = 1; round <= 3; round++)
        {
            await stage.PassTimeAsync(40 * Minute);
            pair.Client.Write("x"u8);
            await pair.ServerProtocol.WaitForBytesAsync(round);
            await stage.PassTimeAsync(40 * Minute);
            pair.Server.Write("y"u8);
            await pair.ClientProtocol.WaitForBytesAsync(round);
        }

        await stage.PassTimeAsync(59 * Minute);
        Check.That(!pair.ServerRecord.Lost.IsCompleted);
        await stage.PassTimeAsync(2 * Minute);
        await VerifyLimitAsync(pair, ConnectionLimit.IdleTimeout);
    }

    [Check("SRV-070")]
    public static async Task The_time_in_which_the_app_does_not_read_is_not_the_peers(KernelStage stage)
    {
        var options = AnHourIdle with { ReadTimeout = Hour, MinReadRate = 1, MinReadRateGracePeriod = Hour };
        var pair = await ConnectAsync(stage, options);
        pair.Server.PauseReading();
        await stage.PassTimeAsync(5 * Hour);
        Check.That(!pair.ServerRecord.Lost.IsCompleted, "it was aborted while its own side did not read");

        pair.Server.ResumeReading();
        await stage.PassTimeAsync(50 * Minute);
        Check.That(!pair.ServerRecord.Lost.IsCompleted, "it was aborted for the time before");
        await stage.PassTimeAsync(11 * Minute);
        Check.That(await pair.ServerRecord.Lost is ConnectionLimitException);
    }

    [Check("SRV-070")]
    public static async Task A_peer_that_does_not_take_what_waits_is_idle_also_while_its_side_is_not_read(KernelStage stage)
    {
        foreach (var isPaused in (bool[])[false, true])
        {
            foreach (var closes in (bool[])[false, true])
            {
                // How long a close may take has a limit of its own.
                var pair = await ConnectAsync(stage, AnHourIdle with { ClosingTimeout = Timeout.InfiniteTimeSpan }, Congestion.NonReader());
                if (isPaused) pair.Server.PauseReading();
                await Congestion.OverfillAsync(stage, pair.Server);
                Check.That(pair.Server.WriteBufferSize > 0);
                if (closes) pair.Server.Close();
                await stage.PassTimeAsync(55 * Minute);
                Check.That(!pair.ServerRecord.Lost.IsCompleted);
                await stage.PassTimeAsync(10 * Minute);
                await VerifyLimitAsync(pair, ConnectionLimit.IdleTimeout);
            }
        }
    }

    [Check("SRV-070", Needs = CheckNeeds.HalfClose)]
    public static async Task A_peer_that_has_ended_its_side_and_takes_nothing_is_idle(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, static () => new RecordingProtocol { OnEof = static () => true }, AnHourIdle);
        var pair = await reception.ConnectAsync();
        pair.Client.WriteEof();
        await stage.SettleAsync();
        await stage.PassTimeAsync(55 * Minute);
        Check.That(!pair.ServerRecord.Lost.IsCompleted);
        await stage.PassTimeAsync(10 * Minute);
        await VerifyLimitAsync(pair, ConnectionLimit.IdleTimeout);
        reception.Server.Close();
    }

    [Check("SRV-071")]
    public static async Task A_peer_that_trickles_is_aborted_and_one_that_keeps_the_rate_is_not(KernelStage stage)
    {
        // 600 bytes in each ten minutes.
        var options = new ServerOptions { MinReadRate = 1, MinReadRateGracePeriod = 10 * Minute };
        var slow = await ConnectAsync(stage, options);
        var fast = await ConnectAsync(stage, options);
        for (var minute = 0; minute < 31; minute++)
        {
            if (minute < 9) slow.Client.Write(new byte[60]);
            fast.Client.Write(new byte[80]);
            await stage.PassTimeAsync(Minute);
            if (minute < 9) Check.That(!slow.ServerRecord.Lost.IsCompleted);
        }

        await VerifyLimitAsync(slow, ConnectionLimit.MinReadRate);
        Check.That(!fast.ServerRecord.Lost.IsCompleted);
    }

    [Check("CONN-050")]
    public static async Task A_client_that_waits_for_an_answer_gives_up_after_the_read_time(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var (transport, client) = await stage.Loop.CreateConnectionAsync(
            () => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0], new ConnectionOptions { ReadTimeout = Hour });
        await stage.UntilAsync(() => reception.Served.Count == 1);
        await stage.PassTimeAsync(30 * Minute);
        reception.Served[0].Transport.Write("answer"u8);
        await client.WaitForBytesAsync(6);
        for (var i = 0; i < 5; i++)
        {
            await stage.PassTimeAsync(10 * Minute);
            transport.Write("?"u8);
        }

        Check.That(!client.Lost.IsCompleted);
        await stage.PassTimeAsync(12 * Minute);
        Check.That(await client.Lost is ConnectionLimitException { Limit: ConnectionLimit.ReadTimeout });
        reception.Server.Close();
    }

    [Check("SRV-070", "SRV-071", "STARTTLS-013")]
    public static async Task An_upgrade_to_TLS_takes_the_limits_along_and_counts_what_the_app_gets(KernelStage stage)
    {
        // 3,600 bytes in each hour: the records of what is sent below have more, what is in them has less.
        var pair = await ConnectAsync(stage, new ServerOptions { MinReadRate = 1, MinReadRateGracePeriod = Hour });
        await stage.PassTimeAsync(50 * Minute);
        var (client, _) = await TlsPeers.UpgradeAsync(stage, pair);
        for (var i = 0; i < 200; i++)
        {
            client.Write([Payload.At(i, 1)[0]]);
            await stage.NextPassAsync();
        }

        await pair.ServerProtocol.WaitForBytesAsync(200);
        await stage.PassTimeAsync(50 * Minute);
        Check.That(!pair.ServerRecord.Lost.IsCompleted, "the time before the upgrade was counted");
        await stage.PassTimeAsync(12 * Minute);
        await stage.PassesAsync(5);
        Check.That(pair.ServerRecord.Lost.IsCompleted, "what the records have besides was counted");
        await VerifyLimitAsync(pair, ConnectionLimit.MinReadRate);
    }

    [Check("CONN-050")]
    public static async Task Limits_that_cannot_be_are_refused_at_the_call(KernelStage stage)
    {
        var address = stage.CreateListenAddress();
        foreach (var options in (ConnectionOptions[])
            [
                new() { IdleTimeout = TimeSpan.Zero }, new() { ReadTimeout = -Minute }, new() { MinReadRate = -1 }, new() { ConnectTimeout = TimeSpan.Zero },
                new() { MinReadRate = 1, MinReadRateGracePeriod = TimeSpan.Zero },
            ])
        {
            await Check.ThrowsAsync<ArgumentOutOfRangeException>(() => stage.Loop.CreateConnectionAsync(static () => new RecordingProtocol(), address, options));
        }

        await Check.ThrowsAsync<ArgumentOutOfRangeException>(
            () => stage.Loop.CreateServerAsync(static () => new RecordingProtocol(), address, new ServerOptions { ReplaceIdleAfter = -Minute }));
    }

    [Check("CONN-051", Needs = CheckNeeds.Tcp)]
    public static async Task A_connect_that_nobody_answers_ends_after_its_time(KernelStage stage)
    {
        var target = await Connecting.DialTarget.ListenAsync(stage);
        var connecting = target.ConnectAsync(new ConnectionOptions { ConnectTimeout = Minute }, default, target.Silent(), target.Silent());
        await stage.PassTimeAsync(0.9 * Minute);
        Check.That(!connecting.IsCompleted);
        await stage.PassTimeAsync(0.2 * Minute);
        var reason = await Check.ThrowsAsync<SocketException>(() => connecting);
        Check.Equal(SocketError.TimedOut, reason.SocketErrorCode);
        Check.That(reason.Message.Contains("target.test", StringComparison.Ordinal), reason.Message);
        await target.CloseAsync();
    }

    private static async Task<StreamPair> ConnectAsync(KernelStage stage, ServerOptions options, RecordingProtocol? client = null)
    {
        var clientOptions = options.Tls is null ? null : new ConnectionOptions { Tls = TestTls.Default.Client };
        return await stage.ConnectAsync(client is null ? null : () => client, null, clientOptions, options);
    }

    private static async Task VerifyLimitAsync(StreamPair pair, ConnectionLimit limit)
    {
        var reason = await pair.ServerRecord.Lost;
        Check.That(reason is ConnectionLimitException found && found.Limit == limit, $"lost with {reason}");
    }
}
