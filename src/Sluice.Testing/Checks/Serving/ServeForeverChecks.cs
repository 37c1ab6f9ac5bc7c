namespace Sluice.Testing.Checks.Serving;

/// <summary>ServeForeverAsync: how it ends, and what becomes of the connections then.</summary>
internal static class ServeForeverChecks
{
    private static readonly ServerOptions ShortDrain = new() { DrainTimeout = TimeSpan.FromMilliseconds(50) };

    [Check("SRV-023", "SRV-028")]
    public static async Task Serving_for_ever_starts_a_server_and_a_close_cancels_it(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: new ServerOptions { StartServing = false });
        var serving = reception.Server.ServeForeverAsync();
        Check.That(reception.Server.IsServing);
        await (await reception.ConnectAsync()).CloseAsync();
        Check.That(!serving.IsCompleted);

        reception.Server.Close();

        await Reception.CancelledAsync(serving);
        Check.That(serving.IsCanceled);
    }

    [Check("SRV-026", "SRV-027")]
    public static async Task Only_one_may_serve_for_ever_and_nobody_after_the_close(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var serving = reception.Server.ServeForeverAsync();

        var second = await Check.ThrowsAsync<InvalidOperationException>(() => reception.Server.ServeForeverAsync());
        Check.That(second.Message.Contains("already", StringComparison.Ordinal), second.Message);
        Check.That(reception.Server.IsServing);

        reception.Server.Close();
        var late = await Check.ThrowsAsync<InvalidOperationException>(() => reception.Server.ServeForeverAsync());
        Check.That(late.Message.Contains("is closed", StringComparison.Ordinal), late.Message);
        await Reception.CancelledAsync(serving);
        await Check.ThrowsAsync<InvalidOperationException>(() => reception.Server.ServeForeverAsync());
    }

    [Check("SRV-028", "SRV-030")]
    public static async Task After_a_close_it_waits_for_the_connections_and_leaves_them_alone(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, RecordingProtocol.Echo, ShortDrain);
        var serving = reception.Server.ServeForeverAsync();
        var pair = await reception.ConnectAsync();

        reception.Server.Close();
        // Longer than a drain may take: one that had begun would have ended the connection by now.
        await Task.Delay(2 * ShortDrain.DrainTimeout, stage.Loop.TimeProvider);
        pair.Client.Write("on we go"u8);
        await pair.ClientProtocol.WaitForBytesAsync(8);
        Check.That(!serving.IsCompleted);
        Check.That(!pair.ServerProtocol.Trace.Contains("DrainRequested"));
        pair.Client.Close();

        await Reception.CancelledAsync(serving);
    }

    [Check("SRV-055")]
    public static async Task A_cancelled_token_drains_and_what_does_not_finish_in_time_is_aborted(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: ShortDrain);
        var (stays, goes) = (await reception.ConnectAsync(), await reception.ConnectAsync());
        goes.ServerProtocol.OnDrain = goes.Server.Close;
        using var source = new CancellationTokenSource();
        var serving = reception.Server.ServeForeverAsync(source.Token);
        var begun = stage.Loop.Time;

        source.Cancel();
        var cancelled = await Reception.CancelledAsync(serving);

        Check.Equal(source.Token, cancelled.CancellationToken);
        Check.That(stage.Loop.Time - begun >= ShortDrain.DrainTimeout);
        Check.That(reception.Server.WaitClosedAsync().IsCompletedSuccessfully);
        foreach (var pair in (StreamPair[])[stays, goes]) Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
        Check.That(await goes.ClientProtocol.Lost is null);
    }

    [Check("SRV-055")]
    public static async Task A_token_that_is_cancelled_while_a_closed_server_empties_drains_it(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: ShortDrain);
        var pair = await reception.ConnectAsync();
        using var source = new CancellationTokenSource();
        var serving = reception.Server.ServeForeverAsync(source.Token);
        reception.Server.Close();
        await stage.PassesAsync(3);
        Check.That(!serving.IsCompleted);

        source.Cancel();

        await Reception.CancelledAsync(serving);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
    }

    [Check("SRV-055")]
    public static async Task A_token_that_is_cancelled_already_ends_the_server(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);

        await Reception.CancelledAsync(reception.Server.ServeForeverAsync(new CancellationToken(canceled: true)));

        Check.That(!reception.Server.IsServing && reception.Server.WaitClosedAsync().IsCompletedSuccessfully);
    }

    [Check("SRV-055", Needs = CheckNeeds.VirtualTime)]
    public static async Task The_drain_at_the_end_of_serving_takes_five_seconds_at_most(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        await reception.ConnectAsync();
        using var source = new CancellationTokenSource();
        var serving = reception.Server.ServeForeverAsync(source.Token);
        var begun = stage.Loop.Time;

        source.Cancel();
        await Reception.CancelledAsync(serving);

        Check.Equal(TimeSpan.FromSeconds(5), stage.Loop.Time - begun);
    }
}
