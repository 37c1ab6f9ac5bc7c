using System.Net;
using System.Net.Sockets;
using Sluice.Backends;

namespace Sluice.Testing.Checks.Serving;

/// <summary>Connections that wait to be accepted when a drain begins.</summary>
internal static class DrainBacklogChecks
{
    private static readonly TimeSpan Forever = Timeout.InfiniteTimeSpan;
    private static readonly ServerOptions Patient = Clerks.Patient;

    [Check("SRV-062")]
    public static async Task Connections_that_wait_to_be_accepted_are_served_by_a_drain(KernelStage stage)
    {
        // More than one round of accepting takes.
        const int Count = 40;
        var (listener, clients) = await Clerks.QueueAsync(stage, Count, "request"u8.ToArray());
        var server = await stage.Loop.ServeHandlesAsync(() => Clerks.New(stage), [listener], ListenerOwnership.Owned, Patient);
        var address = server.EndPoints[0];

        var draining = server.DrainAsync(Forever);

        Check.That(!server.IsServing && server.EndPoints.Count == 0);
        await Clerks.AnsweredAsync(clients);
        Check.Equal(new DrainResult(Count, 0), await draining);
        Check.That(server.WaitClosedAsync().IsCompletedSuccessfully);
        await RefusedAsync(stage, address);
    }

    [Check("SRV-062")]
    public static async Task Connections_that_wait_to_be_accepted_are_let_go_by_a_close_and_by_a_drain_that_shall_not_serve_them(KernelStage stage)
    {
        foreach (var (serves, ends) in ((bool, Func<Server, Task>)[])
            [
                (false, static server => server.DrainAsync(Forever)),
                (true, static server => server.DrainAsync(TimeSpan.Zero)),
                (true, static server =>
                {
                    server.Close();
                    return server.WaitClosedAsync();
                }),
                (true, static server =>
                {
                    var draining = server.DrainAsync(Forever);
                    server.Close();
                    return draining;
                }),
            ])
        {
            var (listener, clients) = await Clerks.QueueAsync(stage, 3, "request"u8.ToArray());
            var options = Patient with { DrainServesBacklog = serves };
            var server = await stage.Loop.ServeHandlesAsync(() => Clerks.New(stage), [listener], ListenerOwnership.Owned, options);

            await ends(server);

            foreach (var client in clients)
            {
                await client.Lost;
                Check.Equal(0, client.Received.Length);
            }
        }
    }

    [Check("SRV-062")]
    public static async Task What_waits_at_a_borrowed_listener_stays_for_the_next_server(KernelStage stage)
    {
        var (listener, clients) = await Clerks.QueueAsync(stage, 3, "request"u8.ToArray());
        using (listener)
        {
            var first = await stage.Loop.ServeHandlesAsync(() => Clerks.New(stage), [listener], ListenerOwnership.Borrowed, Patient);
            Check.Equal(default, await first.DrainAsync(Forever));

            await using var next = await stage.Loop.ServeHandlesAsync(() => Clerks.New(stage), [listener], ListenerOwnership.Borrowed, Patient);
            await stage.UntilAsync(() => next.ConnectionCount == 3);
            _ = next.DrainAsync(Forever);
            await Clerks.AnsweredAsync(clients);
        }
    }

    [Check("SRV-062")]
    public static async Task The_deadline_of_a_drain_counts_for_those_that_were_accepted_during_it(KernelStage stage)
    {
        var (listener, clients) = await Clerks.QueueAsync(stage, 3, []);
        var server = await stage.Loop.ServeHandlesAsync(() => stage.Watch(new RecordingProtocol()), [listener], ListenerOwnership.Owned, Patient);

        Check.Equal(new DrainResult(0, 3), await server.DrainAsync(TimeSpan.FromMilliseconds(50)));

        foreach (var client in clients) await client.Lost;
    }

    [Check("SRV-062", Needs = CheckNeeds.Faults)]
    public static async Task A_listener_that_rests_for_want_of_descriptors_finishes_when_it_is_roused(KernelStage stage)
    {
        var (listener, clients) = await Clerks.QueueAsync(stage, 3, "request"u8.ToArray());
        stage.Faults!.FailNextAccept(24);
        var server = await stage.Loop.ServeHandlesAsync(() => Clerks.New(stage), [listener], ListenerOwnership.Owned, Patient);

        var result = await server.DrainAsync(Forever);

        Check.Equal("Accept is out of system resources", stage.ClaimReport().Message);
        // One was turned away in the want.
        Check.Equal(new DrainResult(2, 0), result);
        foreach (var client in clients) await client.Lost;
        Check.Equal(2, clients.Count(static client => client.Received.SequenceEqual("answer"u8)));
    }

    [Check("SRV-062", Needs = CheckNeeds.Faults)]
    public static async Task A_listener_that_rests_does_not_hold_a_drain_beyond_its_deadline(KernelStage stage)
    {
        var (listener, clients) = await Clerks.QueueAsync(stage, 3, "request"u8.ToArray());
        stage.Faults!.FailNextAccept(24);
        var server = await stage.Loop.ServeHandlesAsync(() => Clerks.New(stage), [listener], ListenerOwnership.Owned, Patient);

        Check.Equal(default, await server.DrainAsync(TimeSpan.FromMilliseconds(50)));

        stage.ClaimReport();
        foreach (var client in clients) await client.Lost;
    }

    [Check("SRV-062")]
    public static async Task A_server_that_is_full_refuses_during_a_drain_too(KernelStage stage)
    {
        var (listener, clients) = await Clerks.QueueAsync(stage, 3, "request"u8.ToArray());
        var server = await stage.Loop.ServeHandlesAsync(
            () => Clerks.New(stage), [listener], ListenerOwnership.Owned, Patient with { MaxConnections = 2 });

        var result = await server.DrainAsync(Forever);

        stage.ClaimReport();
        Check.Equal(new DrainResult(2, 0), result);
        Check.Equal(1, server.RefusedConnectionCount);
        foreach (var client in clients) await client.Lost;
    }

    private static async Task RefusedAsync(KernelStage stage, EndPoint address)
    {
        var refused = await Check.ThrowsAsync<SocketException>(() => stage.Loop.CreateConnectionAsync(() => new RecordingProtocol(), address));
        Check.Equal(stage.IsTcp || refused.SocketErrorCode == SocketError.ConnectionRefused ? SocketError.ConnectionRefused : SocketError.AddressNotAvailable, refused.SocketErrorCode);
    }
}
