using System.Net;
using System.Net.Sockets;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Accepts that fail, class by class of error: what the handler hears, and that no error ends a listener.</summary>
internal static class AcceptChecks
{
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const int OutOfMemory = 12;
    private const int TooManyFilesInSystem = 23;
    private const int TooManyFiles = 24;
    private const int NoBufferSpace = 105;

    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(1);

    [Check("BUG-036", "SRV-041", Needs = CheckNeeds.Faults)]
    public static async Task An_accept_that_would_block_or_was_interrupted_is_nobody_s_business(KernelStage stage)
    {
        foreach (var errno in (int[])[WouldBlock, Interrupted])
        {
            stage.Faults!.FailNextAccept(errno);
            var begun = stage.Loop.Time;

            await (await stage.ConnectAsync()).CloseAsync();

            Check.Equal(0, stage.Reports.Count);
            Check.That(stage.Loop.Time - begun < Rest, "the listener rested");
        }
    }

    [Check("BUG-036", "SRV-041", Needs = CheckNeeds.Faults)]
    public static async Task A_connection_that_was_lost_before_it_was_accepted_is_passed_over(KernelStage stage)
    {
        // EPERM, ENONET, EPROTO, ENOPROTOOPT, EOPNOTSUPP, ENETDOWN, ENETUNREACH, ECONNABORTED, ECONNRESET, ETIMEDOUT, EHOSTDOWN, EHOSTUNREACH
        foreach (var errno in (int[])[1, 64, 71, 92, 95, 100, 101, 103, 104, 110, 112, 113])
        {
            stage.Faults!.FailNextAccept(errno);
            var begun = stage.Loop.Time;

            await (await stage.ConnectAsync()).CloseAsync();

            Check.Equal(0, stage.Reports.Count);
            Check.That(stage.Loop.Time - begun < Rest, "the listener rested");
        }
    }

    [Check("BUG-038", "SRV-043", "SRV-044", Needs = CheckNeeds.Faults)]
    public static async Task Any_other_error_is_reported_once_and_accepting_goes_on_after_a_second(KernelStage stage)
    {
        // The last two are out of the ordinary: EINVAL, and a number that Linux does not have.
        foreach (var errno in (int[])[OutOfMemory, NoBufferSpace, 22, 4000])
        {
            var reception = await Reception.OpenAsync(stage);
            stage.Faults!.FailNextAccept(errno);
            var begun = stage.Loop.Time;

            var pair = await reception.ConnectAsync();

            Check.That(stage.Loop.Time - begun >= Rest, "the listener did not rest");
            var report = stage.ClaimReport();
            Check.Equal(errno is OutOfMemory or NoBufferSpace ? "Accept is out of system resources" : "Accept failed", report.Message);
            Check.That(report.Exception is SocketException);
            Check.Equal(reception.Server.EndPoints[0], report.EndPoint);
            Check.Equal(0, stage.Reports.Count);
            await pair.CloseAsync();
            reception.Server.Close();
        }
    }

    [Check("BUG-038", "SRV-043", Needs = CheckNeeds.Faults)]
    public static async Task Out_of_descriptors_one_peer_is_turned_away_and_the_others_are_served_after_a_second(KernelStage stage)
    {
        foreach (var errno in (int[])[TooManyFiles, TooManyFilesInSystem])
        {
            var reception = await Reception.OpenAsync(stage);
            stage.Faults!.FailNextAccept(errno);
            var begun = stage.Loop.Time;
            var clients = new List<RecordingProtocol>();
            for (var i = 0; i < 3; i++) clients.Add((await reception.DialAsync(reception.Server.EndPoints[0])).Protocol);

            await stage.UntilAsync(() => reception.Served.Count == 2);

            Check.That(stage.Loop.Time - begun >= Rest, "the listener did not rest");
            Check.Equal("Accept is out of system resources", stage.ClaimReport().Message);
            Check.Equal(0, stage.Reports.Count);
            Check.Equal(1, clients.Count(static client => client.Trace.Contains("EofReceived")));
            reception.Server.Close();
        }
    }

    [Check("SRV-043", Needs = CheckNeeds.Faults)]
    public static async Task An_accept_that_keeps_failing_is_reported_once_a_second(KernelStage stage)
    {
        const int Failures = 5;
        var reception = await Reception.OpenAsync(stage);
        for (var i = 0; i < Failures; i++) stage.Faults!.FailNextAccept(OutOfMemory);
        var begun = stage.Loop.Time;
        for (var i = 0; i < 20; i++) await reception.DialAsync(reception.Server.EndPoints[0]);

        for (var i = 1; i <= Failures; i++)
        {
            await stage.UntilAsync(() => stage.Reports.Count > 0);
            Check.That(stage.Loop.Time - begun >= (i - 1) * Rest, "a report came early");
            stage.ClaimReport();
        }

        await stage.UntilAsync(() => reception.Served.Count == 20);
        reception.Server.Close();
    }

    [Check("SRV-043", Needs = CheckNeeds.Faults)]
    public static async Task A_server_that_is_closed_while_it_rests_stays_closed(KernelStage stage)
    {
        var reception = await Reception.OpenAsync(stage);
        stage.Faults!.FailNextAccept(OutOfMemory);
        var (_, client) = await reception.DialAsync(reception.Server.EndPoints[0]);
        await stage.UntilAsync(() => stage.Reports.Count > 0);
        stage.ClaimReport();

        reception.Server.Close();
        await client.Lost;
        await stage.SettleAsync();

        Check.Equal(0, reception.Served.Count);
        Check.That(reception.Server.WaitClosedAsync().IsCompletedSuccessfully);
    }

    [Check("SRV-045", Needs = CheckNeeds.Faults)]
    public static async Task Of_two_listeners_one_rests_and_is_named_while_the_other_goes_on(KernelStage stage)
    {
        foreach (var tired in (int[])[0, 1])
        {
            var served = new List<RecordingProtocol>();
            var server = await stage.Loop.CreateServerAsync(
                () =>
                {
                    served.Add(stage.Watch(new RecordingProtocol()));
                    return served[^1];
                },
                [stage.CreateListenAddress(), DifferentAddress(stage)]);
            stage.Faults!.FailNextAccept(OutOfMemory);
            await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), server.EndPoints[tired]);
            await stage.UntilAsync(() => stage.Reports.Count > 0);
            Check.Equal(server.EndPoints[tired], stage.ClaimReport().EndPoint);
            var rests = stage.Loop.Time;

            await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), server.EndPoints[1 - tired]);
            await stage.UntilAsync(() => served.Count == 1);
            Check.That(stage.Loop.Time - rests < Rest, "the other listener rested as well");
            await stage.UntilAsync(() => served.Count == 2);
            server.Close();
        }
    }

    // Two addresses with port 0 are the same one; an interface more tells them apart.
    private static EndPoint DifferentAddress(KernelStage stage) =>
        stage.IsTcp ? new IPEndPoint(IPAddress.IPv6Loopback, 0) : stage.CreateListenAddress();
}
