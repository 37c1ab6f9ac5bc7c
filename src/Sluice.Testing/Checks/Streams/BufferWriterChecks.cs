using System.Buffers;

namespace Sluice.Testing.Checks.Streams;

/// <summary>A transport as an <see cref="IBufferWriter{T}"/>: what is written into its own memory leaves like any other write.</summary>
internal static class BufferWriterChecks
{
    private static readonly int[] Sizes = [1, 7, 100, 4_095, 4_096, 4_097, 20_000, 100_000];

    [Check]
    public static async Task What_is_advanced_over_is_sent_and_nothing_else(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var sent = 0;

        foreach (var size in Sizes)
        {
            var span = pair.Client.GetSpan(size);
            Check.That(span.Length >= size, $"{span.Length} bytes were lent, {size} were asked for");
            span.Fill(0xEE);
            Payload.At(sent, size).CopyTo(span);
            pair.Client.Advance(size);
            sent += size;

            var memory = pair.Client.GetMemory(size);
            Check.That(memory.Length >= size);
            var part = (size + 1) / 2;
            Payload.At(sent, part).CopyTo(memory);
            pair.Client.Advance(part);
            sent += part;
            if (size % 2 == 0) await stage.NextPassAsync();
        }

        await pair.ServerProtocol.WaitForBytesAsync(sent);
        Check.Bytes(Payload.Of(sent), pair.ServerProtocol.Received);
    }

    [Check]
    public static async Task Lent_memory_and_writes_mix_in_order(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var sent = 0;

        foreach (var size in Sizes)
        {
            pair.Client.Write(Payload.At(sent, size));
            sent += size;
            Payload.At(sent, size).CopyTo(pair.Client.GetSpan(size));
            pair.Client.Advance(size);
            sent += size;
            pair.Client.WriteLines([Payload.At(sent, 3), Payload.At(sent + 3, size)]);
            sent += 3 + size;
            ((IBufferWriter<byte>)pair.Client).Write(Payload.At(sent, size));
            sent += size;
        }

        pair.Client.Close();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(sent), pair.ServerProtocol.Received);
    }

    [Check]
    public static async Task Memory_that_was_lent_in_vain_sends_nothing(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        pair.Client.GetSpan(5_000).Fill(1);
        pair.Client.GetSpan(10).Fill(2);
        pair.Client.Advance(0);
        Check.Equal(0, pair.Client.WriteBufferSize);
        pair.Client.Write("only this"u8);
        pair.Client.Close();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes("only this"u8, pair.ServerProtocol.Received);
    }

    [Check]
    public static async Task Advance_over_what_is_not_lent_is_refused(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Throws<InvalidOperationException>(() => pair.Client.Advance(1));
        var length = pair.Client.GetMemory(10).Length;
        Check.Throws<ArgumentOutOfRangeException>(() => pair.Client.Advance(-1));
        Check.Throws<ArgumentOutOfRangeException>(() => pair.Client.Advance(length + 1));
        pair.Client.GetMemory(10);
        pair.Client.Advance(0);
        Check.Throws<InvalidOperationException>(() => pair.Client.Advance(1));
        pair.Client.GetMemory(10);
        pair.Client.Write("x"u8);
        Check.Throws<InvalidOperationException>(() => pair.Client.Advance(1));
        Check.Throws<ArgumentOutOfRangeException>(() => pair.Client.GetMemory(-1));

        pair.Client.GetMemory(10);
        await stage.NextPassAsync();
        Check.Throws<InvalidOperationException>(() => pair.Client.Advance(1));

        pair.Client.Close();
        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes("x"u8, pair.ServerProtocol.Received);
    }

    [Check("FLOW-005")]
    public static async Task Advance_counts_against_the_limits(CheckStage stage)
    {
        var (pair, written) = await Congestion.ConnectAsync(stage);
        var waiting = pair.Client.WriteBufferSize;
        pair.Client.SetWriteBufferLimits(high: waiting + 100);

        Payload.At(written, 100).CopyTo(pair.Client.GetSpan(100));
        pair.Client.Advance(100);
        Check.That(!pair.ClientRecord.IsWritingPaused, "it was paused at exactly high");
        Payload.At(written + 100, 1).CopyTo(pair.Client.GetSpan(1));
        pair.Client.Advance(1);
        Check.That(pair.ClientRecord.IsWritingPaused);
        Check.Equal(waiting + 101, pair.Client.WriteBufferSize);

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written + 101);
        Check.Bytes(Payload.Of(written + 101), pair.ServerProtocol.Received);
    }

    [Check(Needs = CheckNeeds.HalfClose)]
    public static async Task After_the_end_of_writing_it_is_refused_and_after_the_loss_dropped(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingProtocol { OnEof = static () => true });

        pair.Client.WriteEof();
        Check.Throws<InvalidOperationException>(() => pair.Client.GetSpan(1));
        await pair.CloseAsync();

        pair.Server.GetSpan(10_000).Fill(1);
        pair.Server.Advance(10_000);
        Check.Equal(0, pair.Server.WriteBufferSize);
    }
}
