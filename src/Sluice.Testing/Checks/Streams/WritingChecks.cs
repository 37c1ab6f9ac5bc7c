using System.Buffers;

namespace Sluice.Testing.Checks.Streams;

/// <summary>How written bytes leave: whole, in order, whatever the kernel takes at a time.</summary>
internal static class WritingChecks
{
    [Check("TCP-022")]
    public static async Task A_write_leaves_without_further_ado(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.Write("small"u8);
        await pair.ServerProtocol.WaitForBytesAsync(5);
        await stage.UntilAsync(() => pair.Client.WriteBufferSize == 0);

        Check.Bytes("small"u8, pair.ServerProtocol.Received);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
    }

    [Check("FLOW-020", Needs = CheckNeeds.Kernel)]
    public static async Task What_the_callbacks_of_a_pass_write_leaves_together_when_they_have_run(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var sizes = new List<int>();
        for (var i = 0; i < 3; i++)
        {
            stage.Loop.CallSoon(() =>
            {
                pair.Client.Write("abc"u8);
                sizes.Add(pair.Client.WriteBufferSize);
            });
        }

        await stage.PassesAsync(2);

        Check.Equal("3, 6, 9", string.Join(", ", sizes));
        Check.Equal(0, pair.Client.WriteBufferSize);
        await pair.ServerProtocol.WaitForBytesAsync(9);
        Check.Bytes("abcabcabc"u8, pair.ServerProtocol.Received);
    }

    [Check("TCP-023", "BUG-028")]
    public static async Task The_caller_may_reuse_its_memory_at_once(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var expected = new List<byte>();
        foreach (var length in (int[])[1, 100, 4095, 4096, 70_000, 300_000])
        {
            var mine = Payload.At(length, length);
            expected.AddRange(mine);
            pair.Client.Write(mine);
            Array.Fill(mine, (byte)0xEE);

            mine = Payload.Of(length);
            expected.AddRange(mine);
            pair.Client.WriteLines([mine]);
            Array.Fill(mine, (byte)0xEE);
        }

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(expected.Count);
        Check.Bytes(expected.ToArray(), pair.ServerProtocol.Received);
    }

    [Check("TCP-024", "TCP-025", "TCP-028", "TCP-029", "TCP-031", "BUG-002")]
    public static async Task What_the_kernel_does_not_take_follows_in_order(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);

        var written = await Congestion.OverfillAsync(stage, pair.Client);
        Check.That(pair.Client.WriteBufferSize > 0 && pair.Client.WriteBufferSize < written, "the kernel took all or nothing");
        pair.Server.ResumeReading();

        await pair.ServerProtocol.WaitForBytesAsync(written);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
        await stage.UntilAsync(() => pair.Client.WriteBufferSize == 0);
    }

    [Check("TCP-027", "TCP-030")]
    public static async Task Behind_queued_bytes_every_write_queues(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);

        var size = pair.Client.WriteBufferSize;
        await stage.SettleAsync();
        Check.Equal(size, pair.Client.WriteBufferSize);
        foreach (var length in (int[])[10, 5_000, 100_000])
        {
            pair.Client.Write(Payload.At(written, length));
            Check.Equal(size += length, pair.Client.WriteBufferSize);
            written += length;
        }

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("TCP-026", "BUG-022")]
    public static async Task Empty_writes_do_nothing(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);

        WriteNothing(pair.Client);
        await stage.SettleAsync();
        Check.Equal(0, pair.Client.WriteBufferSize);
        var written = await Congestion.OverfillAsync(stage, pair.Client);
        var size = pair.Client.WriteBufferSize;
        WriteNothing(pair.Client);
        Check.Equal(size, pair.Client.WriteBufferSize);

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written);
        pair.Client.Close();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("TCP-023", "TCP-041")]
    public static async Task All_ways_to_write_share_one_order(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var client = pair.Client;

        client.Write("OK"u8);
        client.WriteLines(["S"u8.ToArray(), "P"u8.ToArray()]);
        "A"u8.CopyTo(client.GetSpan(1));
        client.Advance(1);
        client.Write(new ReadOnlySequence<byte>("M"u8.ToArray()));
        client.Write(Payload.Of(10_000));
        client.GetMemory(1).Span[0] = (byte)'!';
        client.Advance(1);
        client.Close();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes([.. "OKSPAM"u8, .. Payload.Of(10_000), .. "!"u8], pair.ServerProtocol.Received);
    }

    [Check("TCP-069")]
    public static async Task Thousands_of_writes_arrive_to_the_byte(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var written = 0;
        for (var i = 0; i < 4_000; i++)
        {
            var length = (i * 7919) % 900;
            pair.Client.Write(Payload.At(written, length));
            written += length;

            // Half of the run lets the loop drain in between.
            if (i > 2_000 && i % 16 == 0) await stage.NextPassAsync();
        }

        await pair.ServerProtocol.WaitForBytesAsync(written);
        await stage.SettleAsync();
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("BUG-029", "BUG-030")]
    public static async Task A_sequence_of_thousands_of_segments_is_sent_exactly(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var written = 0;
        foreach (var segments in (int[])[1, 2, 1_024, 5_000])
        {
            var sequence = Sequence(segments, from: written);
            pair.Client.Write(sequence);
            written += (int)sequence.Length;
        }

        await pair.ServerProtocol.WaitForBytesAsync(written);
        Check.Bytes(Payload.Of(written), pair.ServerProtocol.Received);
    }

    [Check("TCP-035", "TCP-037", "BUG-004")]
    public static async Task Writes_to_a_lost_connection_are_dropped_and_the_fifth_is_logged(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        pair.Client.Close();

        for (var i = 0; i < 4; i++) pair.Client.Write("lost"u8);
        Check.Equal(0, stage.Log.Entries.Count);
        await pair.ClientRecord.Lost;
        for (var i = 0; i < 4; i++) pair.Client.Write("lost"u8);

        Check.Trace(stage.Log.Entries, "A write to a lost connection was dropped.");
        Check.Equal(0, pair.Client.WriteBufferSize);
        await pair.ServerRecord.Lost;
        Check.Equal(0, pair.ServerProtocol.Received.Length);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "ConnectionLost(null)");
    }

    private static void WriteNothing(ITransport transport)
    {
        transport.Write([]);
        transport.Write(ReadOnlySequence<byte>.Empty);
        transport.WriteLines([]);
        transport.WriteLines([default, ReadOnlyMemory<byte>.Empty]);
        transport.GetSpan();
        transport.Advance(0);
    }

    private static ReadOnlySequence<byte> Sequence(int segments, int from)
    {
        var first = new Piece(Payload.At(from, 1));
        var last = first;

        // Some are empty.
        for (var i = 1; i < segments; i++) last = last.Append(Payload.At(from + (int)last.RunningIndex + last.Memory.Length, i % 7));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory) { RunningIndex = RunningIndex + Memory.Length };
            Next = next;
            return next;
        }
    }
}
