namespace Sluice.Testing.Checks.Protocols;

/// <summary>Protocol factories that fail: the caller or the handler hears of it, the peer sees the end, and serving goes on.</summary>
internal static class FactoryChecks
{
    [Check("BUG-039", "BUG-043")]
    public static async Task A_clients_factory_that_throws_fails_the_connect(KernelStage stage)
    {
        var exception = new FormatException("no protocol today");

        var (thrown, _) = await FailClientAsync(stage, () => throw exception);

        Check.That(ReferenceEquals(exception, thrown));
    }

    [Check("BUG-039", "BUG-043")]
    public static async Task A_clients_factory_that_returns_null_fails_the_connect(KernelStage stage)
    {
        var (thrown, _) = await FailClientAsync(stage, static () => null!);

        Check.That(thrown is InvalidOperationException);
    }

    [Check("BUG-039", "BUG-043")]
    public static async Task A_clients_factory_that_returns_a_busy_protocol_fails_the_connect(KernelStage stage)
    {
        var busy = await stage.ConnectAsync();

        var (thrown, _) = await FailClientAsync(stage, () => busy.ClientProtocol);

        Check.That(thrown is InvalidOperationException);
        Check.That(!busy.Client.IsClosing && ReferenceEquals(busy.Client, busy.ClientProtocol.Transport));
    }

    [Check("BUG-039", "SRV-046")]
    public static Task A_servers_factory_that_throws_is_reported_and_serving_goes_on(KernelStage stage) =>
        FailServerAsync<FormatException>(stage, static _ => throw new FormatException("no protocol today"));

    [Check("BUG-039")]
    public static Task A_servers_factory_that_returns_null_is_reported_and_serving_goes_on(KernelStage stage) =>
        FailServerAsync<InvalidOperationException>(stage, static _ => null!);

    [Check("BUG-039")]
    public static Task A_servers_factory_that_returns_one_protocol_twice_is_reported_and_serving_goes_on(KernelStage stage) =>
        FailServerAsync<InvalidOperationException>(stage, static busy => busy);

    [Check("BUG-039", "TCP-067")]
    public static async Task A_servers_ConnectionMade_that_throws_is_reported_and_the_connection_lives(KernelStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingProtocol { OnMade = _ => throw new FormatException() });

        Check.Equal("Exception in callback protocol.ConnectionMade()", stage.ClaimReport().Message);
        pair.Client.Write("and yet"u8);
        await pair.ServerProtocol.WaitForBytesAsync(7);
    }

    [Check("TCP-068")]
    public static async Task A_close_or_abort_in_ConnectionMade_leaves_the_connect_successful(KernelStage stage)
    {
        foreach (var act in (Action<ITransport>[])[static transport => transport.Close(), static transport => transport.Abort()])
        {
            var pair = await stage.ConnectAsync(client: () => new RecordingProtocol { OnMade = act });

            Check.That(pair.Client.IsClosing);
            Check.That(await pair.ClientRecord.Lost is null);
            Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
            await pair.ServerRecord.Lost;
        }
    }

    private static async Task<(Exception Thrown, RecordingProtocol Server)> FailClientAsync(KernelStage stage, Func<RecordingProtocol> factory)
    {
        var served = new RecordingProtocol();
        var listener = await stage.Loop.CreateServerAsync(() => stage.Watch(served), stage.CreateListenAddress());

        var thrown = await Check.ThrowsAsync<Exception>(() => stage.Loop.CreateConnectionAsync(factory, listener.EndPoints[0]));
        await served.Lost;
        listener.Close();

        Check.Equal(0, stage.Reports.Count);
        return (thrown, served);
    }

    private static async Task FailServerAsync<T>(KernelStage stage, Func<RecordingProtocol, RecordingProtocol> fail) where T : Exception
    {
        var served = new List<RecordingProtocol>();
        var fails = false;
        var listener = await stage.Loop.CreateServerAsync(
            () =>
            {
                if (fails) return fail(served[0]);
                served.Add(stage.Watch(RecordingProtocol.Echo()));
                return served[^1];
            },
            stage.CreateListenAddress());
        var (first, firstProtocol) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), listener.EndPoints[0]);
        await stage.UntilAsync(() => served.Count == 1);

        fails = true;
        for (var i = 0; i < 3; i++)
        {
            var (_, refused) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), listener.EndPoints[0]);
            Check.That(await refused.Lost is null);
            Check.Trace(refused.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
            var report = stage.ClaimReport();
            Check.Equal("Error on transport creation for incoming connection", report.Message);
            Check.That(report.Exception is T);
            Check.That(report.EndPoint is not null);
        }

        fails = false;
        var (second, secondProtocol) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), listener.EndPoints[0]);
        first.Write("first"u8);
        second.Write("second"u8);
        await firstProtocol.WaitForBytesAsync(5);
        await secondProtocol.WaitForBytesAsync(6);
        listener.Close();
    }
}
