namespace Sluice.Testing.Checks.Protocols;

/// <summary>How bytes and the end of the stream reach a protocol that owns its receive buffer.</summary>
internal static class BufferedProtocolChecks
{
    [Check("BUF-001")]
    public static async Task Bytes_are_put_into_the_very_memory_that_GetBuffer_gave(CheckStage stage)
    {
        var lent = new List<byte[]>();
        var hints = new List<int>();
        var filled = new List<byte>();
        RecordingBufferedProtocol? protocol = null;
        var pair = await stage.ConnectAsync(() => protocol = new RecordingBufferedProtocol
        {
            OnGetBuffer = hint =>
            {
                hints.Add(hint);
                lent.Add(new byte[1000]);
                return lent[^1];
            },
            OnData = data => filled.AddRange(lent[^1].AsSpan(0, data.Length)),
        });

        pair.Server.Write(Payload.Of(20_000));
        await pair.ClientRecord.WaitForBytesAsync(20_000);

        Check.Bytes(Payload.Of(20_000), filled.ToArray());
        Check.That(hints.TrueForAll(static hint => hint is -1 or > 0), "a size hint is -1 or a number of bytes");
        Check.That(protocol!.BufferRequests >= 20, "more bytes were put into a buffer than it holds");
    }

    [Check("BUF-008")]
    public static async Task A_buffer_without_bytes_for_it_stays_unused(CheckStage stage)
    {
        RecordingBufferedProtocol? protocol = null;
        var pair = await stage.ConnectAsync(() => protocol = new RecordingBufferedProtocol(16));

        for (var i = 1; i <= 30; i++)
        {
            pair.Server.Write(Payload.At(i - 1, 1));
            await pair.ClientRecord.WaitForBytesAsync(i);
        }

        await stage.SettleAsync();
        Check.Equal(31, pair.ClientRecord.Trace.Count);
        Check.That(protocol!.BufferRequests >= 30);
        Check.That(pair.Client.IsReading);
        Check.Bytes(Payload.Of(30), pair.ClientRecord.Received);
    }

    [Check("BUF-010")]
    public static async Task A_message_larger_than_the_buffer_comes_in_slices(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(static () => new RecordingBufferedProtocol(100));

        pair.Server.Write(Payload.Of(9216));
        pair.Server.Close();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Bytes(Payload.Of(9216), pair.ClientRecord.Received);
    }

    [Check("BUF-011")]
    public static async Task One_small_buffer_takes_a_long_message_and_the_reply_comes_back(CheckStage stage)
    {
        const int Length = 123_123;
        RecordingBufferedProtocol? server = null;
        var pair = await stage.ConnectAsync(server: () => server = new RecordingBufferedProtocol(50)
        {
            OnData = _ =>
            {
                if (server!.Record.Received.Length == Length) server.Record.Transport!.Write("all there"u8);
            },
        });

        pair.Client.Write(Payload.Of(Length));
        await pair.ClientProtocol.WaitForBytesAsync(9);
        pair.Client.Close();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(Length), pair.ServerRecord.Received);
        Check.Trace(pair.ServerRecord.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        Check.Bytes("all there"u8, pair.ClientProtocol.Received);
    }

    [Check("BUF-012")]
    public static async Task A_hang_up_does_not_cut_off_what_the_buffer_could_not_hold_yet(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new RecordingBufferedProtocol(50));

        pair.Client.Write(Payload.Of(51));
        pair.Client.Close();

        Check.That(await pair.ServerRecord.Lost is null);
        Check.Bytes(Payload.Of(51), pair.ServerRecord.Received);
        Check.Trace(pair.ServerRecord.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
    }

    [Check("BUF-006", Needs = CheckNeeds.HalfClose)]
    public static async Task The_answer_to_the_end_of_the_stream_closes_or_keeps_the_connection(CheckStage stage)
    {
        foreach (var keeps in (bool[])[false, true])
        {
            var pair = await stage.ConnectAsync(() => new RecordingBufferedProtocol { OnEof = () => keeps });

            pair.Server.WriteEof();
            await pair.ClientRecord.WaitForEofAsync();
            Check.Equal(keeps, !pair.Client.IsClosing);
            if (keeps)
            {
                await stage.SettleAsync();
                pair.Client.Write("still here"u8);
                await pair.ServerProtocol.WaitForBytesAsync(10);
                pair.Client.Close();
            }

            Check.That(await pair.ClientRecord.Lost is null);
            Check.Trace(pair.ClientRecord.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
        }
    }

    [Check("BUF-009", Needs = CheckNeeds.Reset)]
    public static async Task A_reset_by_the_peer_is_the_reason_of_the_loss_of_a_buffered_protocol(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(static () => new RecordingBufferedProtocol());

        pair.Server.Abort();

        await pair.ClientRecord.Lost;
        Check.Trace(pair.ClientRecord.Trace, "ConnectionMade", "ConnectionLost(SocketException ConnectionReset)");
    }

    [Check("BUF-009", Needs = CheckNeeds.Faults)]
    public static async Task A_read_that_fails_is_the_reason_of_the_loss_of_a_buffered_protocol(KernelStage stage)
    {
        const int HostUnreachable = 113;
        var pair = await stage.ConnectAsync(static () => new RecordingBufferedProtocol(), static () => new RecordingBufferedProtocol());

        stage.Faults!.FailNextRead(HostUnreachable);

        var first = await Task.WhenAny(pair.ClientRecord.Lost, pair.ServerRecord.Lost);
        Check.Equal("SocketException HostUnreachable", ProtocolRecord.Describe(await first));
    }

    [Check("BUF-013")]
    public static async Task Bytes_that_were_held_back_fill_buffer_after_buffer(CheckStage stage)
    {
        foreach (var size in (int[])[1, 2, 4, 100])
        {
            RecordingBufferedProtocol? protocol = null;
            var pair = await stage.ConnectAsync(() => protocol = new RecordingBufferedProtocol(size) { OnData = _ => Flicker(stage, protocol!.Record.Transport!) });

            for (var i = 0; i < 40; i++)
            {
                pair.Server.Write(Payload.At(i * 5, 5));
                await stage.NextPassAsync();
            }

            pair.Server.Close();
            Check.That(await pair.ClientRecord.Lost is null);
            Check.Bytes(Payload.Of(200), pair.ClientRecord.Received);
        }
    }

    [Check("BUF-001")]
    public static async Task A_buffered_protocol_that_closes_hears_of_no_more_bytes(CheckStage stage)
    {
        RecordingBufferedProtocol? protocol = null;
        var pair = await stage.ConnectAsync(() => protocol = new RecordingBufferedProtocol(10) { OnData = _ => protocol!.Record.Transport!.Close() });

        pair.Server.Write(Payload.Of(1000));

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Trace(pair.ClientRecord.Shape, "ConnectionMade", "DataReceived", "ConnectionLost(null)");
        Check.That(pair.ClientRecord.Received.Length <= 10);
    }

    private static void Flicker(CheckStage stage, ITransport transport)
    {
        transport.PauseReading();
        stage.Loop.CallSoon(transport.ResumeReading);
    }
}
