using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Serving;

/// <summary>The hard limit of the write buffer: the last defence against peers that never read.</summary>
internal static class LimitChecks
{
    private const int Limit = 300_000;

    private static readonly ConnectionOptions Limited = new() { MaxWriteBufferSize = Limit };

    [Check("BUG-031", Needs = CheckNeeds.BufferLimit)]
    public static async Task More_than_the_limit_aborts_and_the_write_returns(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader, clientOptions: Limited);

        await Congestion.OverfillAsync(stage, pair.Client, size: Limit - 1);
        Check.That(!pair.Client.IsClosing && pair.Client.WriteBufferSize > 0);
        pair.Client.Write(new byte[Limit]);
        Check.That(pair.Client.IsClosing);
        Check.Equal(0, pair.Client.WriteBufferSize);
        pair.Client.Write("dropped"u8);

        var reason = await pair.ClientRecord.Lost;
        Check.That(reason is WriteBufferLimitException { Limit: Limit }, $"lost with {reason}");
        Check.Equal("ConnectionLost(WriteBufferLimitException)", pair.ClientProtocol.Trace[^1]);
        Check.Equal(0, stage.Reports.Count);
    }

    [Check("BUG-031", Needs = CheckNeeds.Reset | CheckNeeds.BufferLimit)]
    public static async Task The_peer_of_an_overflow_sees_a_reset(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader, clientOptions: Limited);
        await Congestion.OverfillAsync(stage, pair.Client);

        pair.Server.ResumeReading();

        Check.Equal("SocketException ConnectionReset", ProtocolRecord.Describe(await pair.ServerRecord.Lost));
        await pair.ClientRecord.Lost;
    }

    [Check("BUG-031", Needs = CheckNeeds.BufferLimit)]
    public static async Task What_the_kernel_takes_does_not_count(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(clientOptions: Limited);

        for (var written = 0; written < 10 * Limit; written += Limit / 3)
        {
            pair.Client.Write(Payload.At(written, Limit / 3));
            await stage.UntilAsync(() => pair.Client.WriteBufferSize == 0);
        }

        pair.Client.Close();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Equal(10 * Limit, pair.ServerProtocol.Received.Length);
    }

    [Check("BUG-031", Needs = CheckNeeds.BufferLimit)]
    public static async Task Many_peers_that_do_not_read_are_all_got_rid_of(CheckStage stage)
    {
        var pairs = new List<StreamPair>();
        for (var i = 0; i < 30; i++) pairs.Add(await stage.ConnectAsync(server: Congestion.NonReader, clientOptions: Limited));

        foreach (var pair in pairs) await Congestion.OverfillAsync(stage, pair.Client, size: Limit);
        foreach (var pair in pairs) pair.Client.Write(new byte[2 * Limit]);

        foreach (var pair in pairs) Check.That(await pair.ClientRecord.Lost is WriteBufferLimitException);
    }
}
