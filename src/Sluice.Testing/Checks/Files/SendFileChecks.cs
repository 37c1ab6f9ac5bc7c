using Sluice.Testing.Checks.Streams;
using Sluice.Testing.Kits;

namespace Sluice.Testing.Checks.Files;

/// <summary>Files over a connection: which bytes arrive, and what the caller may do meanwhile. Whether a kernel sends them or not makes no difference.</summary>
internal static class SendFileChecks
{
    [Check("SENDFILE-001", "SENDFILE-004")]
    public static async Task The_peer_receives_the_whole_file_and_its_position_is_at_its_end(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        byte[] expected = [];
        foreach (var size in (int[])[1, 20_000, TemporaryFile.Large])
        {
            foreach (var way in WaysOver(pair.Client))
            {
                using var file = new TemporaryFile(size);
                Check.Equal(size, await stage.Loop.SendFileAsync(way, file.Stream));
                Check.Equal(size, file.Stream.Position);
                expected = [.. expected, .. Payload.Of(size)];
            }
        }

        await pair.ServerProtocol.WaitForBytesAsync(expected.Length);
        Check.Bytes(expected, pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-002", "BUG-033")]
    public static async Task Exactly_the_part_that_was_asked_for_is_sent_wherever_the_file_stands(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        using var file = new TemporaryFile(40_000);
        byte[] expected = [];
        foreach (var (offset, count) in ((int, int?)[])[(1000, 100), (0, 10), (0, 20_000), (39_990, null), (30_000, 1_000_000)])
        {
            foreach (var way in WaysOver(pair.Client))
            {
                file.Stream.Position = 77;
                file.Stream.ReadByte();
                var part = Payload.At(offset, Math.Min(count ?? int.MaxValue, 40_000 - offset));
                Check.Equal(part.Length, await stage.Loop.SendFileAsync(way, file.Stream, offset, count));
                Check.Equal(offset + part.Length, file.Stream.Position);
                Check.Equal((byte)(file.Stream.Position < 40_000 ? Payload.At(offset + part.Length, 1)[0] : 255), (byte)file.Stream.ReadByte());
                expected = [.. expected, .. part];
            }
        }

        await pair.ServerProtocol.WaitForBytesAsync(expected.Length);
        Check.Bytes(expected, pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-014", "SENDFILE-020")]
    public static async Task Nothing_is_sent_of_an_empty_file_or_from_beyond_the_end(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        using var empty = new TemporaryFile(0);
        using var small = new TemporaryFile(10);
        small.Stream.Position = 7;
        foreach (var way in WaysOver(pair.Client))
        {
            Check.Equal(0, await stage.Loop.SendFileAsync(way, empty.Stream));
            Check.Equal(0, await stage.Loop.SendFileAsync(way, small.Stream, offset: 10));
            Check.Equal(0, await stage.Loop.SendFileAsync(way, small.Stream, offset: 11, count: 5));
            Check.Equal(0, await stage.Loop.SendFileAsync(way, new MemoryStream(new byte[10]), offset: 11));
        }

        await stage.SettleAsync();
        Check.Equal(0, empty.Stream.Position);
        Check.Equal(7, small.Stream.Position);
        Check.Equal(0, pair.ServerProtocol.Received.Length);
    }

    [Check("SENDFILE-009")]
    public static async Task What_was_written_before_comes_before_the_file_and_what_comes_after_behind_it(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: Congestion.NonReader);
        var written = await Congestion.OverfillAsync(stage, pair.Client);
        byte[] expected = Payload.Of(written);
        foreach (var way in WaysOver(pair.Client))
        {
            using var file = new TemporaryFile(100_000);
            way.Write("before"u8);
            var sending = stage.Loop.SendFileAsync(way, file.Stream);
            pair.Server.ResumeReading();
            await sending;
            way.Write("behind"u8);
            expected = [.. expected, .. "before"u8, .. Payload.Of(100_000), .. "behind"u8];
        }

        await pair.ServerProtocol.WaitForBytesAsync(expected.Length);
        Check.Bytes(expected, pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-017")]
    public static async Task Any_stream_can_be_sent_and_a_handle_too(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        using var file = new TemporaryFile(50_000);
        using var memory = new MemoryStream(Payload.Of(50_000)) { Position = 3 };
        byte[] expected = [];
        foreach (var way in WaysOver(pair.Client))
        {
            Check.Equal(40_000, await stage.Loop.SendFileAsync(way, memory, 100, 40_000));
            Check.Equal(40_100, memory.Position);
            Check.Equal(30_000, await stage.Loop.SendFileAsync(way, file.Stream.SafeFileHandle, 20_000));
            Check.Equal(0, file.Stream.Position);
            expected = [.. expected, .. Payload.At(100, 40_000), .. Payload.At(20_000, 30_000)];
        }

        await Check.ThrowsAsync<SendFileNotAvailableException>(() => stage.Loop.SendFileAsync(pair.Client, memory, fallback: false));
        Check.Equal(40_100, memory.Position);
        await pair.ServerProtocol.WaitForBytesAsync(expected.Length);
        Check.Bytes(expected, pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-005", "SENDFILE-006", "BUG-067")]
    public static async Task Past_a_transport_that_could_change_the_bytes_no_kernel_sends_them(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var standIn = new StandInTransport(pair.Client);
        using var file = new TemporaryFile(30_000);

        var refused = await Check.ThrowsAsync<NotSupportedException>(() => stage.Loop.SendFileAsync(standIn, file.Stream, fallback: false));
        Check.That(refused is SendFileNotAvailableException);
        Check.Equal(0, file.Stream.Position);
        Check.Equal(0, standIn.Written);

        Check.Equal(30_000, await stage.Loop.SendFileAsync(standIn, file.Stream));
        Check.Equal(30_000, standIn.Written);
        await pair.ServerProtocol.WaitForBytesAsync(30_000);
        Check.Bytes(Payload.Of(30_000), pair.ServerProtocol.Received);
    }

    [Check("SENDFILE-008")]
    public static async Task A_transport_that_is_closing_sends_no_file(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        using var file = new TemporaryFile(100);
        pair.Client.Close();

        foreach (var way in WaysOver(pair.Client)) Check.Throws<InvalidOperationException>(() => stage.Loop.SendFileAsync(way, file.Stream));

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Equal(0, file.Stream.Position);
        Check.Equal(0, pair.ServerProtocol.Received.Length);
    }

    [Check("SENDFILE-021", Needs = CheckNeeds.HalfClose)]
    public static async Task After_the_end_of_the_sending_side_it_throws_as_a_write_does(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingProtocol { OnEof = static () => true });
        using var file = new TemporaryFile(100);
        pair.Client.WriteEof();

        foreach (var way in WaysOver(pair.Client)) Check.Throws<InvalidOperationException>(() => stage.Loop.SendFileAsync(way, file.Stream));

        Check.Equal(0, file.Stream.Position);
    }

    [Check("SENDFILE-002")]
    public static async Task Impossible_arguments_are_refused_at_the_call(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var loop = stage.Loop;
        using var file = new TemporaryFile(100);
        var unreadable = new FileStream(file.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);

        Check.Throws<ArgumentOutOfRangeException>(() => loop.SendFileAsync(pair.Client, file.Stream, offset: -1));
        Check.Throws<ArgumentOutOfRangeException>(() => loop.SendFileAsync(pair.Client, file.Stream, count: 0));
        Check.Throws<ArgumentOutOfRangeException>(() => loop.SendFileAsync(pair.Client, file.Stream, count: -1));
        Check.Throws<ArgumentNullException>(() => loop.SendFileAsync(null!, file.Stream));
        Check.Throws<ArgumentNullException>(() => loop.SendFileAsync(pair.Client, (FileStream)null!));
        Check.Throws<ArgumentException>(() => loop.SendFileAsync(pair.Client, unreadable));
        await unreadable.DisposeAsync();
        Check.Throws<ArgumentException>(() => loop.SendFileAsync(pair.Client, unreadable));
        Check.Throws<ArgumentException>(() => loop.SendFileAsync(pair.Client, unreadable.SafeFileHandle));
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Check.That(loop.SendFileAsync(pair.Client, file.Stream, cancellationToken: cancelled.Token).IsCanceled);

        await stage.SettleAsync();
        Check.Equal(0, pair.ServerProtocol.Received.Length);
    }

    /// <summary>The transport itself, where a kernel may do the work, and one that no kernel knows, where it must not.</summary>
    public static IEnumerable<ITransport> WaysOver(ITransport transport) => [transport, new StandInTransport(transport)];
}
