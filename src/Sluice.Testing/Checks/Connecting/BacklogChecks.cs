namespace Sluice.Testing.Checks.Connecting;

/// <summary>Connects to a listener whose backlog is full. A Unix socket says so at once where TCP waits.</summary>
internal static class BacklogChecks
{
    private const int Crowd = 100;

    [Check("UNIX-041", Needs = CheckNeeds.Unix)]
    public static async Task A_full_backlog_makes_connects_wait_for_room(KernelStage stage)
    {
        await using var server = await stage.Loop.CreateServerAsync(
            () => stage.Watch(RecordingProtocol.Echo()), stage.CreateListenAddress(), new ServerOptions { Backlog = 1 });
        var connects = Enumerable.Range(0, Crowd).Select(_ => TalkAsync(stage, server)).ToList();
        await Task.WhenAll(connects);
    }

    [Check("UNIX-041", Needs = CheckNeeds.Unix)]
    public static async Task A_connect_that_waits_for_room_can_be_given_up(KernelStage stage)
    {
        var address = stage.CreateListenAddress();
        var waiting = await stage.Loop.CreateServerAsync(() => stage.Watch(new RecordingProtocol()), address, new ServerOptions { Backlog = 1 });
        using var source = new CancellationTokenSource();
        var connects = Enumerable.Range(0, Crowd)
            .Select(_ => stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), address, cancellationToken: source.Token)).ToList();
        source.Cancel();
        foreach (var connect in connects) await Check.ThrowsAsync<OperationCanceledException>(() => connect);
        waiting.Close();
    }

    private static async Task TalkAsync(KernelStage stage, Server server)
    {
        var (transport, protocol) = await stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), server.EndPoints[0]);
        transport.Write("x"u8);
        await protocol.WaitForBytesAsync(1);
        transport.Close();
        await protocol.Lost;
    }
}
