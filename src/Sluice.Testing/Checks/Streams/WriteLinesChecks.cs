namespace Sluice.Testing.Checks.Streams;

/// <summary>Writes in parts: they behave as a write of each part, in fewer calls of the kernel.</summary>
internal static class WriteLinesChecks
{
    [Check("TCP-039", "BUG-030")]
    public static async Task Any_number_of_parts_arrive_in_order(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var written = 0;
        foreach (var count in (int[])[1, 3, 1_025, 5_000])
        {
            pair.Client.WriteLines(Parts(count, size: 37, from: written));
            written += count * 37;
        }

        await pair.ServerProtocol.WaitForBytesAsync(written);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
        await stage.UntilAsync(() => pair.Client.WriteBufferSize == 0);
    }

    [Check("TCP-040", "BUG-002")]
    public static async Task Parts_that_the_kernel_does_not_take_follow(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = 0;
        do
        {
            Congestion.VerifyEnds(written);
            pair.Client.WriteLines(Parts(20, size: 8_000, from: written));
            written += 160_000;
            await stage.SettleAsync();
        }
        while (pair.Client.WriteBufferSize == 0);

        pair.Client.WriteLines(Parts(3, size: 11, from: written));
        written += 33;
        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("TCP-042", "BUG-022")]
    public static async Task Empty_parts_neither_stall_nor_end_the_stream(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.WriteLines([default, "a"u8.ToArray(), default, default, "b"u8.ToArray(), default]);
        pair.Client.WriteLines([default]);
        await pair.ServerProtocol.WaitForBytesAsync(2);
        pair.Client.WriteLines([Payload.Of(50_000), default]);
        pair.Client.Close();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes([.. "ab"u8, .. Payload.Of(50_000)], pair.ServerProtocol.Received);
    }

    [Check("TCP-043", "BUG-004")]
    public static async Task Parts_for_a_lost_connection_are_dropped_and_counted_as_one_write(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        pair.Client.Close();
        await pair.ClientRecord.Lost;

        for (var i = 0; i < 4; i++) pair.Client.WriteLines(Parts(10, size: 100, from: 0));
        Check.Equal(0, stage.Log.Entries.Count);
        pair.Client.WriteLines(Parts(1, size: 1, from: 0));

        Check.Trace(stage.Log.Entries, "A write to a lost connection was dropped.");
        Check.Equal(0, pair.Client.WriteBufferSize);
    }

    [Check("TCP-041")]
    public static async Task Parts_before_an_exception_of_the_enumeration_stay_written(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Throws<FormatException>(() => pair.Client.WriteLines(Broken()));
        pair.Client.Write("after"u8);
        pair.Client.Close();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes([.. Payload.Of(6_000), .. "after"u8], pair.ServerProtocol.Received);

        static IEnumerable<ReadOnlyMemory<byte>> Broken()
        {
            yield return Payload.Of(1_000);
            yield return Payload.At(1_000, 5_000);
            throw new FormatException("no more parts");
        }
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Parts(int count, int size, int from) =>
        Enumerable.Range(0, count).Select(i => (ReadOnlyMemory<byte>)Payload.At(from + (i * size), size));
}
