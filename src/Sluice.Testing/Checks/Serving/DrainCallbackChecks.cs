using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Serving;

/// <summary>DrainRequested, whatever the protocol does in it.</summary>
internal static class DrainCallbackChecks
{
    private static readonly TimeSpan Forever = Timeout.InfiniteTimeSpan;

    [Check("SRV-053")]
    public static async Task What_DrainRequested_throws_goes_to_the_handler_only(KernelStage stage)
    {
        var exception = new FormatException("not now");
        var reception = await Reception.OpenAsync(stage, RecordingProtocol.Echo);
        var pair = await reception.ConnectAsync();
        pair.ServerProtocol.OnDrain = () => throw exception;

        var draining = reception.Server.DrainAsync(Forever);
        await stage.PassesAsync(2);

        var report = stage.ClaimReport();
        Check.Equal("Exception in callback protocol.DrainRequested()", report.Message);
        Check.That(ReferenceEquals(exception, report.Exception) && ReferenceEquals(pair.Server, report.Transport));
        pair.Client.Write("still here"u8);
        await pair.ClientProtocol.WaitForBytesAsync(10);
        pair.Client.Close();
        Check.Equal(new DrainResult(1, 0), await draining);
    }

    [Check("SRV-053")]
    public static async Task A_close_a_write_and_an_abort_in_DrainRequested_do_what_they_always_do(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var (closing, writing, aborting) = (await reception.ConnectAsync(), await reception.ConnectAsync(), await reception.ConnectAsync());
        closing.ServerProtocol.OnDrain = closing.Server.Close;
        writing.ServerProtocol.OnDrain = () =>
        {
            writing.Server.Write(Payload.Of(200_000));
            writing.Server.Close();
        };
        aborting.ServerProtocol.OnDrain = aborting.Server.Abort;

        Check.Equal(new DrainResult(3, 0), await reception.Server.DrainAsync(Forever));

        Check.That(await closing.ClientProtocol.Lost is null);
        Check.That(await writing.ClientProtocol.Lost is null);
        Check.Bytes(Payload.Of(200_000), writing.ClientProtocol.Received);
        Check.Equal(stage.IsTcp, await aborting.ClientProtocol.Lost is not null);
        Check.Trace(aborting.ServerProtocol.Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
    }

    [Check("SRV-053")]
    public static async Task A_protocol_that_takes_over_in_DrainRequested_is_not_told_again(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        var successor = new RecordingBufferedProtocol();
        pair.ServerProtocol.OnDrain = () => pair.Server.SetProtocol(successor);

        var draining = reception.Server.DrainAsync(Forever);
        await stage.PassesAsync(2);
        _ = reception.Server.DrainAsync(Forever);
        await stage.PassesAsync(2);
        Check.Trace(successor.Record.Trace);
        pair.Server.SetProtocol(pair.ServerProtocol);
        pair.Client.Close();

        Check.Equal(new DrainResult(1, 0), await draining);
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "DrainRequested", "EofReceived", "ConnectionLost(null)");
    }

    [Check("SRV-053")]
    public static async Task One_protocol_that_ends_all_the_others_spares_them_the_news(KernelStage stage)
    {
        foreach (var isAbort in (bool[])[false, true])
        {
            var reception = await Reception.OpenAsync(stage);
            await reception.ConnectAsync();
            await reception.ConnectAsync();
            foreach (var served in reception.Served)
            {
                served.OnDrain = () =>
                {
                    if (isAbort) reception.Server.AbortClients();
                    else reception.Server.CloseClients();
                };
            }

            var result = await reception.Server.DrainAsync(Forever);

            Check.Equal(isAbort ? new DrainResult(0, 2) : new DrainResult(2, 0), result);
            Check.Equal(1, reception.Served.Count(static served => served.Trace.Contains("DrainRequested")));
        }
    }

    [Check("SRV-053")]
    public static async Task A_drain_that_is_begun_anew_in_DrainRequested_joins_the_one_under_way(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        Task<DrainResult>? inner = null;
        pair.ServerProtocol.OnDrain = () => inner = reception.Server.DrainAsync(TimeSpan.Zero);

        Check.Equal(new DrainResult(0, 1), await reception.Server.DrainAsync(Forever));
        Check.Equal(new DrainResult(0, 1), await inner!);
    }

    [Check("SRV-054")]
    public static async Task A_connection_that_is_not_made_yet_hears_of_the_drain_after_its_ConnectionMade(KernelStage stage)
    {
        Reception? reception = null;
        Task<DrainResult>? draining = null;
        reception = await Reception.OpenAsync(
            stage,
            () =>
            {
                // This turn comes between the transport's birth and its ConnectionMade.
                stage.Loop.CallSoon(() => draining = reception!.Server.DrainAsync(Forever));
                var protocol = new RecordingProtocol();
                protocol.OnDrain = () => protocol.Transport.Close();
                return protocol;
            },
            new ServerOptions { DrainGrace = TimeSpan.FromMilliseconds(1) });

        var (_, client) = await reception.DialAsync(reception.Server.EndPoints[0]);
        await client.Lost;

        Check.Equal(new DrainResult(1, 0), await draining!);
        Check.Trace(reception.Served[0].Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
    }

    [Check("SRV-054")]
    public static async Task A_connection_that_is_closing_already_is_not_told(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        pair.Server.Close();

        Check.Equal(new DrainResult(1, 0), await reception.Server.DrainAsync(Forever));
        Check.Trace(pair.ServerProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");

        // One that has begun to close, and cannot end because its peer does not read.
        reception = await Reception.OpenAsync(stage);
        pair = await reception.ConnectAsync(Congestion.NonReader());
        await Congestion.FillAsync(stage, pair.Server);
        pair.Server.Close();

        Check.Equal(new DrainResult(0, 1), await reception.Server.DrainAsync(TimeSpan.FromMilliseconds(50)));
        Check.That(!pair.ServerProtocol.Trace.Contains("DrainRequested"));
    }

    [Check("SRV-054")]
    public static async Task Buffered_protocols_are_told_too_and_paused_ones(KernelStage stage)
    {
        var served = stage.Watch(new RecordingBufferedProtocol { OnMade = static transport => transport.PauseReading() });
        var server = await stage.Loop.CreateServerAsync(() => served, stage.CreateListenAddress());
        var (transport, _) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), server.EndPoints[0]);
        await stage.UntilAsync(() => served.Record.Transport is not null);
        served.OnDrain = () => served.Record.Transport!.Close();

        Check.Equal(new DrainResult(1, 0), await server.DrainAsync(Forever));
        Check.Trace(served.Record.Trace, "ConnectionMade", "DrainRequested", "ConnectionLost(null)");
        transport.Close();
    }

    [Check("SRV-054")]
    public static async Task DrainRequested_runs_in_the_context_of_the_server(KernelStage stage)
    {
        var local = new AsyncLocal<string>();
        string? seen = null;
        local.Value = "server";
        var reception = await Reception.OpenAsync(stage);
        local.Value = "elsewhere";
        var pair = await reception.ConnectAsync();
        pair.ServerProtocol.OnDrain = () =>
        {
            seen = local.Value;
            pair.Server.Close();
        };

        await reception.Server.DrainAsync(Forever);

        Check.Equal("server", seen);
    }
}
