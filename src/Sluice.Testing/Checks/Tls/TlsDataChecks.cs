using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Tls;

/// <summary>Bytes over TLS, both ways: exact whatever the buffers, held back while paused, and bounded.</summary>
internal static class TlsDataChecks
{
    [Check("BUF-014", "BUF-015", "BUG-027")]
    public static async Task A_protocol_that_owns_its_buffer_gets_exact_bytes_whatever_its_size(KernelStage stage)
    {
        const int Total = 150_000;
        foreach (var size in (int[])[1, 7, 1000, 16_384, 16_385, 65_536])
        {
            var total = size == 1 ? Total / 10 : Total;
            var pair = await TlsPeers.ConnectAsync(stage, () => new RecordingBufferedProtocol(size));
            for (var written = 0; written < total; written += total / 10) pair.Server.Write(Payload.At(written, total / 10));

            await pair.ClientRecord.WaitForBytesAsync(total);
            Check.Bytes(Payload.Of(total), pair.ClientRecord.Received);
            await pair.CloseAsync();
        }
    }

    [Check("TLS-022")]
    public static async Task Another_protocol_gets_what_comes_later_in_its_own_way(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage);
        pair.Server.Write("one"u8);
        await pair.ClientProtocol.WaitForBytesAsync(3);

        var buffered = new RecordingBufferedProtocol(2);
        buffered.Record.CarryOn(pair.Client);
        pair.Client.SetProtocol(buffered);
        Check.That(ReferenceEquals(buffered, pair.Client.Protocol));
        var received = new List<byte>();
        buffered.OnData = data => received.AddRange(data);
        pair.Server.Write("two"u8);
        await stage.UntilAsync(() => received.Count == 3);

        pair.Client.SetProtocol(pair.ClientProtocol);
        pair.Server.Write("three"u8);
        await pair.ClientProtocol.WaitForBytesAsync(8);
        Check.Bytes("onethree"u8, pair.ClientProtocol.Received);
        Check.Bytes("two"u8, received.ToArray());
    }

    [Check("TLS-025", "TLS-026", "TLS-027")]
    public static async Task Parts_arrive_in_order_and_as_they_were_at_the_call(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage, server: Congestion.NonReader);
        var written = await Congestion.FillAsync(stage, pair.Client);
        var part = Payload.At(written, 1000);

        pair.Client.Write([]);
        pair.Client.WriteLines([part.AsMemory(0, 10), Array.Empty<byte>(), part.AsMemory(10)]);
        var rest = Payload.At(written + 1000, 20_000);
        pair.Client.Write(rest);
        part.AsSpan().Clear();
        rest.AsSpan().Clear();
        pair.Server.ResumeReading();

        await pair.ServerProtocol.WaitForBytesAsync(written + 21_000);
        Check.Bytes(Payload.Of(written + 21_000), pair.ServerProtocol.Received);
    }

    [Check("TLS-047", "FLOW-016")]
    public static async Task The_watermarks_count_what_was_written_and_begin_higher(KernelStage stage)
    {
        RecordingProtocol? writer = null;
        var sizeAtResume = -1;
        var pair = await TlsPeers.ConnectAsync(
            stage, () => writer = new RecordingProtocol { OnResume = () => sizeAtResume = writer!.Transport.WriteBufferSize }, Congestion.NonReader);
        Check.Equal((128 * 1024, 512 * 1024), pair.Client.WriteBufferLimits);
        pair.Client.SetWriteBufferLimits(low: 1000);
        Check.Equal((1000, 4000), pair.Client.WriteBufferLimits);
        Check.Throws<ArgumentOutOfRangeException>(() => pair.Client.SetWriteBufferLimits(high: 1, low: 2));
        pair.Client.SetWriteBufferLimits();
        Check.Equal((128 * 1024, 512 * 1024), pair.Client.WriteBufferLimits);

        var written = await Congestion.FillAsync(stage, pair.Client);
        var waiting = pair.Client.WriteBufferSize;
        pair.Client.SetWriteBufferLimits(high: waiting + 10, low: 100);
        pair.Client.Write(Payload.At(written, 10));
        Check.That(!pair.ClientRecord.IsWritingPaused, "it was paused at exactly high");
        pair.Client.Write(Payload.At(written + 10, 1));
        Check.That(pair.ClientRecord.IsWritingPaused, "it was not paused above high");

        pair.Server.ResumeReading();
        await pair.ServerProtocol.WaitForBytesAsync(written + 11);
        await stage.UntilAsync(() => !pair.ClientRecord.IsWritingPaused);
        Check.That(sizeAtResume is >= 0 and <= 100, $"it was resumed with {sizeAtResume} bytes");
    }

    [Check("TLS-048", "BUG-025")]
    public static async Task While_paused_nothing_is_delivered_and_little_is_held(KernelStage stage)
    {
        const int Total = 4 * 1024 * 1024;
        var pair = await TlsPeers.ConnectAsync(stage);
        pair.Client.PauseReading();
        pair.Client.PauseReading();
        Check.That(!pair.Client.IsReading);
        var size = await Congestion.OverfillAsync(stage, pair.Server, Total);

        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
        Check.That(pair.Server.WriteBufferSize > 0, "all of it was taken from the writer, and nobody reads");

        pair.Client.ResumeReading();
        pair.Client.ResumeReading();
        Check.That(pair.Client.IsReading);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");
        await pair.ClientProtocol.WaitForBytesAsync(size);
        Check.Bytes(Payload.Of(size), pair.ClientProtocol.Received);
    }

    [Check("TLS-037", "BUG-026")]
    public static async Task Data_and_the_end_behind_it_come_in_order_after_the_resume(KernelStage stage)
    {
        var pair = await TlsPeers.ConnectAsync(stage);
        pair.Client.PauseReading();
        pair.Server.Write(Payload.Of(30_000));
        pair.Server.Close();
        await stage.PassesAsync(20);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade");

        pair.Client.ResumeReading();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Bytes(Payload.Of(30_000), pair.ClientProtocol.Received);
        Check.Trace(pair.ClientRecord.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        Check.That(await pair.ServerRecord.Lost is null);
    }

    [Check("BUG-064")]
    public static async Task Both_directions_flow_at_once_and_from_within_callbacks(KernelStage stage)
    {
        const int Total = 1_000_000;
        var pair = await TlsPeers.ConnectAsync(stage, RecordingProtocol.Echo, Echoing);
        pair.Client.Write(Payload.Of(Total));

        await pair.ServerProtocol.WaitForBytesAsync(Total);
        Check.Bytes(Payload.Of(Total), pair.ServerProtocol.Received[..Total]);
        await pair.ClientProtocol.WaitForBytesAsync(Total);
        Check.Bytes(Payload.Of(Total), pair.ClientProtocol.Received[..Total]);

        static RecordingProtocol Echoing()
        {
            var left = Total;
            var protocol = new RecordingProtocol();
            protocol.OnData = data =>
            {
                var part = data[..Math.Min(left, data.Length)];
                left -= part.Length;
                protocol.Transport.Write(part);
            };
            return protocol;
        }
    }

    [Check("TLS-056")]
    public static async Task Bytes_that_wait_while_paused_are_left_alone_by_other_connections(KernelStage stage)
    {
        const int Record = 5000;
        const int Records = 26;
        const int Other = 60_000;
        var paused = await TlsPeers.ConnectAsync(stage);
        var other = await TlsPeers.ConnectAsync(stage);
        paused.ClientProtocol.OnData = _ => paused.Client.PauseReading();
        var otherBytes = 0;
        for (var round = 0; round < 6; round++)
        {
            paused.Client.PauseReading();
            for (var i = 0; i < Records; i++) paused.Server.Write(Payload.At((round * Records + i) * Record, Record));
            await stage.SettleAsync();
            while (paused.ClientProtocol.Received.Length < (round + 1) * Records * Record)
            {
                paused.Client.ResumeReading();
                await stage.SettleAsync();
                other.Server.Write(new byte[Other]);
                otherBytes += Other;
                await other.ClientProtocol.WaitForBytesAsync(otherBytes);
                Check.That(!paused.ClientRecord.Lost.IsCompleted, "what waited was overwritten");
            }
        }

        Check.Bytes(Payload.Of(6 * Records * Record), paused.ClientProtocol.Received);
    }
}
