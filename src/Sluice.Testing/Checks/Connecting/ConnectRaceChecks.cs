namespace Sluice.Testing.Checks.Connecting;

/// <summary>Attempts beside each other: Happy Eyeballs.</summary>
internal static class ConnectRaceChecks
{
    [Check("CONN-033", Needs = CheckNeeds.Tcp)]
    public static async Task The_next_attempt_does_not_wait_for_the_delay_when_one_has_failed(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        var started = stage.Loop.Time;
        var options = new ConnectionOptions { HappyEyeballsDelay = TimeSpan.FromHours(1) };

        var (transport, protocol) = await target.ConnectAsync(options, default, target.Refusing(), target.Address);

        Check.That(stage.Loop.Time - started < TimeSpan.FromHours(1));
        Check.Equal(target.EndPoint, transport.GetExtraInfo(ExtraInfo.PeerName));
        await target.CloseAsync(transport, protocol);
    }

    [Check("CONN-034", Needs = CheckNeeds.Tcp)]
    public static async Task A_slow_attempt_loses_against_the_one_that_starts_after_the_delay(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        var started = stage.Loop.Time;
        var delay = TimeSpan.FromMilliseconds(20);

        var (transport, protocol) = await target.ConnectAsync(
            new ConnectionOptions { HappyEyeballsDelay = delay, Interleave = 0 }, default, target.Silent(), target.Silent(), target.Address, target.Refusing());

        Check.That(stage.Loop.Time - started >= delay * 2, "an attempt did not wait for the delay");
        Check.Equal(target.EndPoint, transport.GetExtraInfo(ExtraInfo.PeerName));
        Check.Equal(1, target.Served.Count);
        await target.CloseAsync(transport, protocol);
    }

    [Check("CONN-034", Needs = CheckNeeds.Tcp)]
    public static async Task Two_attempts_that_succeed_at_the_same_time_make_one_connection(KernelStage stage)
    {
        var target = await DialTarget.ListenAsync(stage);
        var made = 0;
        stage.Names.Add("twice.test", target.Address, target.Address, target.Address);

        var (transport, protocol) = await stage.Loop.CreateConnectionAsync(
            () =>
            {
                made++;
                return stage.Watch(new RecordingProtocol());
            },
            "twice.test",
            target.Port,
            new ConnectionOptions { HappyEyeballsDelay = TimeSpan.Zero });

        await stage.SettleAsync();
        Check.Equal(1, made, "protocols");
        transport.Write("unharmed"u8);
        await protocol.WaitForBytesAsync(8);
        target.Listener.CloseClients();
        await target.CloseAsync(transport, protocol);
    }
}
