namespace Sluice.Testing.Checks.Streams;

/// <summary>No connection holds up the others: one read per connection and turn, few accepts per turn.</summary>
internal static class FairnessChecks
{
    private const int MostReadAtOnce = 256 * 1024;
    private const int MostAcceptedAtOnce = 16;

    [Check("BUG-032", "TCP-010")]
    public static async Task A_peer_that_floods_gets_one_read_per_turn_and_the_others_are_served(KernelStage stage)
    {
        const int Rounds = 10;
        var flood = new byte[512 * 1024];
        var flooder = await stage.ConnectAsync();
        var quiet = new List<StreamPair>();
        for (var i = 0; i < 20; i++) quiet.Add(await stage.ConnectAsync(server: RecordingProtocol.Echo));

        var isOver = false;
        var reads = flooder.ServerProtocol.Trace.Count;
        var polls = stage.Loop.Core.Backend.Wakeups;
        flooder.ServerProtocol.OnData = data =>
        {
            Check.That(data.Length <= MostReadAtOnce, $"one read brought {data.Length} bytes");
            if (!isOver && flooder.Client.WriteBufferSize < flood.Length) flooder.Client.Write(flood);
        };
        flooder.Client.Write(flood);
        for (var round = 1; round <= Rounds; round++)
        {
            foreach (var pair in quiet) pair.Client.Write("ping"u8);
            foreach (var pair in quiet) await pair.ClientProtocol.WaitForBytesAsync(4 * round);
        }

        isOver = true;
        reads = flooder.ServerProtocol.Trace.Count - reads;
        polls = stage.Loop.Core.Backend.Wakeups - polls;
        Check.That(reads > 0, "there was no flood");
        Check.That(reads <= polls, $"{reads} reads in {polls} turns");
        Check.Equal(0, flooder.ServerRecord.Violations.Count);
        flooder.Client.Abort();
    }

    [Check("BUG-042")]
    public static async Task A_burst_of_connections_is_accepted_in_portions(KernelStage stage)
    {
        var busy = await stage.ConnectAsync(server: RecordingProtocol.Echo);
        var accepts = new Dictionary<long, int>();
        var options = new ServerOptions { StartServing = true, Backlog = 100 };
        var listener = await stage.Loop.CreateServerAsync(
            () =>
            {
                var turn = stage.Loop.Core.Backend.Wakeups;
                accepts[turn] = accepts.GetValueOrDefault(turn) + 1;
                return stage.Watch(new RecordingProtocol());
            },
            stage.CreateListenAddress(),
            options);

        var connects = Enumerable.Range(0, 80)
            .Select(_ => stage.Loop.CreateConnectionAsync(() => stage.Watch(new RecordingProtocol()), listener.EndPoints[0])).ToArray();
        busy.Client.Write("ping"u8);
        await busy.ClientProtocol.WaitForBytesAsync(4);
        foreach (var connect in connects) await connect;
        await stage.UntilAsync(() => accepts.Values.Sum() == connects.Length);
        listener.Close();

        Check.That(accepts.Values.Max() <= MostAcceptedAtOnce, $"{accepts.Values.Max()} connections were accepted in one turn");
    }
}
