using System.Text;
using Sluice.Backends;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Serving;

/// <summary>The news of a drain against what has arrived: it comes behind requests, and behind the first data of a connection in its handshake.</summary>
internal static class DrainDeliveryChecks
{
    private static readonly TimeSpan Forever = Timeout.InfiniteTimeSpan;

    /// <summary>No connection is told before its first data.</summary>
    private static readonly ServerOptions Patient = Clerks.Patient;

    [Check("SRV-060")]
    public static async Task A_request_that_has_arrived_is_answered_before_the_news_of_a_drain(KernelStage stage)
    {
        const int Count = 16;
        foreach (var (isBuffered, waits) in ((bool, bool)[])[(false, false), (true, false), (false, true)])
        {
            var (listener, clients) = await Clerks.QueueAsync(stage, Count, "request"u8.ToArray());
            Server? server = null;
            Task<DrainResult>? draining = null;
            var made = 0;
            server = await stage.Loop.ServeHandlesAsync(
                () =>
                {
                    // Drained behind the birth of the last, or as soon as that is accepted: its request waits in the kernel either way.
                    if (++made == Count && waits) stage.Loop.CallSoon(() => draining = server!.DrainAsync(Forever));
                    else if (made == Count) draining = server!.DrainAsync(Forever);
                    return isBuffered ? Clerks.NewBuffered(stage) : Clerks.New(stage);
                },
                [listener],
                ListenerOwnership.Owned,
                Patient);

            await Clerks.AnsweredAsync(clients);
            Check.Equal(new DrainResult(Count, 0), await draining!);
        }
    }

    [Check("SRV-060")]
    public static async Task All_that_had_arrived_is_delivered_before_the_news_of_a_drain_and_no_more_is_waited_for(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: Patient);
        var pair = await reception.ConnectAsync();
        var arrived = -1;
        pair.ServerProtocol.OnDrain = () => arrived = pair.ServerProtocol.Received.Length;
        pair.Server.PauseReading();
        pair.Client.Write(Payload.Of(4_000));
        await stage.SettleAsync();
        pair.Server.ResumeReading();

        var draining = reception.Server.DrainAsync(Forever);
        await stage.UntilAsync(() => arrived >= 0);

        Check.Equal(4_000, arrived);
        pair.Client.Close();
        Check.Equal(new DrainResult(1, 0), await draining);
    }

    [Check("SRV-060", Needs = CheckNeeds.VirtualTime)]
    public static async Task A_connection_that_does_not_read_what_has_arrived_is_told_when_the_grace_is_over(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        var pair = await reception.ConnectAsync();
        pair.Server.PauseReading();
        pair.Client.Write("unread"u8);
        await stage.SettleAsync();
        var begun = stage.Loop.Time;
        var told = TimeSpan.Zero;
        pair.ServerProtocol.OnDrain = () =>
        {
            told = stage.Loop.Time;
            pair.Server.Close();
        };

        Check.Equal(new DrainResult(1, 0), await reception.Server.DrainAsync(Forever));

        Check.Equal(ServerOptions.Default.DrainGrace, told - begun);
    }

    [Check("SRV-061")]
    public static async Task A_connection_in_its_handshake_is_told_of_a_drain_behind_its_first_request(KernelStage stage)
    {
        const int Count = 20;
        foreach (var passes in (int[])[0, 1, 3, 6])
        {
            var server = await stage.Loop.CreateServerAsync(
                () => Clerks.New(stage), stage.CreateListenAddress(), Patient with { Tls = TestTls.Default.Server });
            var clients = new List<RecordingProtocol>();
            var connects = Enumerable.Range(0, Count).Select(_ => stage.Loop.CreateConnectionAsync(
                () =>
                {
                    clients.Add(stage.Watch(new RecordingProtocol { OnMade = static transport => transport.Write("request"u8) }));
                    return clients[^1];
                },
                server.EndPoints[0],
                new ConnectionOptions { Tls = TestTls.Default.Client })).ToArray();
            await stage.UntilAsync(() => server.ConnectionCount == Count);
            await stage.PassesAsync(passes);

            var draining = server.DrainAsync(Forever);

            foreach (var connect in connects) await connect;
            await Clerks.AnsweredAsync(clients);
            Check.Equal(new DrainResult(Count, 0), await draining);
        }
    }

    [Check("SRV-061", Needs = CheckNeeds.VirtualTime)]
    public static async Task A_connection_that_stays_silent_behind_its_handshake_is_told_when_the_grace_is_over(KernelStage stage)
    {
        var made = TimeSpan.Zero;
        var told = TimeSpan.Zero;
        Reception? reception = null;
        Task<DrainResult>? draining = null;
        reception = await Reception.OpenAsync(
            stage,
            () =>
            {
                stage.Loop.CallSoon(() => draining = reception!.Server.DrainAsync(Forever));
                var protocol = new RecordingProtocol { OnMade = _ => made = stage.Loop.Time };
                protocol.OnDrain = () =>
                {
                    told = stage.Loop.Time;
                    protocol.Transport.Close();
                };
                return protocol;
            },
            new ServerOptions { Tls = TestTls.Default.Server });

        var (_, client) = await stage.Loop.CreateConnectionAsync(
            () => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0], new ConnectionOptions { Tls = TestTls.Default.Client });
        await client.Lost;

        Check.Equal(new DrainResult(1, 0), await draining!);
        Check.Equal(ServerOptions.Default.DrainGrace, told - made);
    }

    [Check("SRV-061")]
    public static async Task A_connection_that_is_upgrading_to_TLS_is_told_of_a_drain_behind_its_first_data(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: Patient);
        var pair = await reception.ConnectAsync();
        var seen = "";
        var upgrading = stage.Loop.StartTlsAsync(pair.Server, pair.ServerProtocol, TestTls.Default.Server);
        var draining = reception.Server.DrainAsync(Forever);
        var client = await stage.Loop.StartTlsAsync(pair.Client, pair.ClientProtocol, TestTls.Default.Client);
        var server = await upgrading;
        pair.ServerRecord.CarryOn(server);
        pair.ClientRecord.CarryOn(client);
        pair.ServerProtocol.OnDrain = () =>
        {
            seen = Encoding.ASCII.GetString(pair.ServerProtocol.Received);
            server.Close();
        };

        await stage.SettleAsync();
        client.Write("request"u8);

        Check.Equal(new DrainResult(1, 0), await draining);
        Check.Equal("request", seen);
    }

    [Check("SRV-061")]
    public static async Task What_has_arrived_over_TLS_is_delivered_before_the_news_of_a_drain(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage, options: Patient with { Tls = TestTls.Default.Server });
        var (client, _) = await stage.Loop.CreateConnectionAsync(
            () => stage.Watch(new RecordingProtocol()), reception.Server.EndPoints[0], new ConnectionOptions { Tls = TestTls.Default.Client });
        await reception.Served[0].Made;
        var served = reception.Served[0];
        var arrived = -1;
        served.OnDrain = () =>
        {
            arrived = served.Received.Length;
            served.Transport.Close();
        };
        served.Transport.PauseReading();
        await stage.SettleAsync();
        client.Write(Payload.Of(4_000));
        await stage.SettleAsync();
        served.Transport.ResumeReading();

        Check.Equal(new DrainResult(1, 0), await reception.Server.DrainAsync(Forever));

        Check.Equal(4_000, arrived);
    }
}
