namespace Sluice.Testing.Checks.Streams;

/// <summary>Every member that acts, called from every callback while bytes flow: the contract holds whatever meets.</summary>
internal static class ReentrancyChecks
{
    private static readonly (string Name, bool Closes, Action<ITransport> Act)[] Actions =
    [
        ("a small write", false, static transport => WriteZeros(transport, 10)),
        ("a large write", false, static transport => WriteZeros(transport, 100_000)),
        ("WriteLines", false, static transport => transport.WriteLines([new byte[10], default, new byte[10_000]])),
        ("GetSpan and Advance", false, static transport =>
        {
            transport.GetSpan(10);
            transport.Advance(10);
        }),
        ("WriteEof", false, static transport =>
        {
            if (transport.CanWriteEof) transport.WriteEof();
        }),
        ("PauseReading and ResumeReading", false, static transport =>
        {
            transport.PauseReading();
            transport.ResumeReading();
        }),
        ("lower limits", false, static transport => transport.SetWriteBufferLimits(high: 0)),
        ("SetProtocol to itself", false, static transport =>
        {
            if (transport.Protocol is Protocol own) transport.SetProtocol(own);
        }),
        ("Close", true, static transport => transport.Close()),
        ("Abort", true, static transport => transport.Abort()),
        ("Close and Abort", true, static transport =>
        {
            transport.Close();
            transport.Abort();
        }),
        ("a write and Close", true, static transport =>
        {
            WriteZeros(transport, 20_000);
            transport.Close();
        }),
    ];

    [Check("BUG-021", "TCP-068", Needs = CheckNeeds.Alone)]
    public static Task Acting_in_ConnectionMade(CheckStage stage) =>
        ForEachActionAsync(stage, static (client, act) => client.OnMade = _ => act(), static (_, _) => Task.CompletedTask);

    [Check("BUG-007", "BUG-020", "BUG-021")]
    public static Task Acting_in_DataReceived(CheckStage stage) =>
        ForEachActionAsync(stage, static (client, act) => client.OnData = _ => act(), static (_, pair) =>
        {
            pair.Server.Write(Payload.Of(300_000));
            return Task.CompletedTask;
        });

    [Check("BUG-021", Needs = CheckNeeds.HalfClose)]
    public static Task Acting_in_EofReceived(CheckStage stage) =>
        ForEachActionAsync(
            stage,
            static (client, act) => client.OnEof = () =>
            {
                act();
                return true;
            },
            static (_, pair) =>
            {
                pair.Server.WriteEof();
                return Task.CompletedTask;
            });

    [Check("BUG-008", "BUG-021")]
    public static Task Acting_in_PauseWriting(CheckStage stage) =>
        ForEachActionAsync(stage, static (client, act) => client.OnPause = act, static (stage, pair) => Congestion.OverfillAsync(stage, pair.Client), Congestion.NonReader);

    [Check("BUG-020", "BUG-021")]
    public static Task Acting_in_ResumeWriting(CheckStage stage) =>
        ForEachActionAsync(stage, static (client, act) => client.OnResume = act, static (stage, pair) => Congestion.OverfillAsync(stage, pair.Client), Congestion.NonReader);

    [Check("TCP-058", "BUG-021")]
    public static Task Acting_in_ConnectionLost(CheckStage stage) =>
        ForEachActionAsync(stage, static (client, act) => client.OnLost = _ => act(), static (_, pair) =>
        {
            pair.Client.Close();
            return Task.CompletedTask;
        });

    [Check("BUG-021")]
    public static async Task No_callback_but_PauseWriting_comes_inside_a_call(CheckStage stage)
    {
        foreach (var (name, _, act) in Actions)
        {
            var pair = await stage.ConnectAsync(Congestion.NonReader);
            pair.Server.Write("held back"u8);
            await stage.SettleAsync();
            var called = Callbacks(pair);

            act(pair.Client);

            Check.Equal(called, Callbacks(pair), $"callbacks after {name}");
            await pair.CloseAsync();
        }
    }

    private static int Callbacks(StreamPair pair) =>
        pair.ClientProtocol.Trace.Concat(pair.ServerProtocol.Trace).Count(static entry => entry != "PauseWriting");

    /// <summary>A new connection for each action: the hook acts once, the two ends then finish, and nothing comes out of order.</summary>
    private static async Task ForEachActionAsync(
        CheckStage stage,
        Action<RecordingProtocol, Action> hook,
        Func<CheckStage, StreamPair, Task> provoke,
        Func<IProtocol<ITransport>>? server = null)
    {
        foreach (var (name, closes, act) in Actions)
        {
            var acted = false;
            var pair = await stage.ConnectAsync(
                () =>
                {
                    var client = new RecordingProtocol();
                    hook(client, () =>
                    {
                        if (acted) return;
                        acted = true;
                        act(client.Transport);
                    });
                    return client;
                },
                server);

            await provoke(stage, pair);
            pair.Server.ResumeReading();
            await stage.UntilAsync(() => acted);
            Check.That(!closes || pair.Client.IsClosing, $"after {name} the transport was not closing");
            await stage.UntilAsync(() => pair.Client.WriteBufferSize == 0);
            await stage.SettleAsync();
            await pair.CloseAsync();
            Check.That(await pair.ClientRecord.Lost is null, $"after {name} the connection was lost with {await pair.ClientRecord.Lost}");
            Check.Equal(0, pair.ClientRecord.Violations.Count, name);
        }
    }

    private static void WriteZeros(ITransport transport, int length) => transport.Write(new byte[length]);
}
