using Sluice.Testing.Checks.Streams;

namespace Sluice.Testing.Checks.Protocols;

/// <summary>A live transport handed from one protocol to another: later events go to the new one, and nothing falls between.</summary>
internal static class ProtocolHandoverChecks
{
    [Check("TCP-065")]
    public static async Task Later_events_go_to_the_new_protocol(CheckStage stage)
    {
        var (client, first, server) = await ConnectAsync(stage);
        server.Transport.Write("one"u8);
        await stage.UntilAsync(() => first.Received.Count == 3);

        var second = new RecordingProtocol();
        client.SetProtocol(second);
        Check.That(ReferenceEquals(second, client.Protocol));
        Check.Equal(0, second.Trace.Count, "SetProtocol called back");
        second.ConnectionMade(client);
        server.Transport.Write("two"u8);
        server.Transport.Close();

        Check.That(await second.Lost is null);
        Check.Bytes("one"u8, first.Received.ToArray());
        Check.Bytes("two"u8, second.Received);
        Check.Trace(second.Record.Shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
        Check.That(!first.IsLost, "the old protocol was told of the loss");
        Check.Equal(0, second.Violations.Count);
        Check.That(client.Protocol is null);
    }

    [Check("TCP-065", Needs = CheckNeeds.HalfClose)]
    public static async Task An_exchange_while_paused_gives_the_new_protocol_what_was_held_back(CheckStage stage)
    {
        var (client, first, server) = await ConnectAsync(stage);
        client.PauseReading();
        server.Transport.Write(Payload.Of(10_000));
        server.Transport.WriteEof();
        await stage.SettleAsync();

        var second = new RecordingBufferedProtocol(700);
        client.SetProtocol(second);
        second.ConnectionMade(client);
        client.ResumeReading();

        Check.That(await second.Record.Lost is null);
        Check.Bytes(Payload.Of(10_000), second.Record.Received);
        Check.Equal(0, first.Received.Count);
    }

    [Check("TCP-065")]
    public static async Task Flow_control_goes_on_with_the_new_protocol(CheckStage stage)
    {
        var (client, first, server) = await ConnectAsync(stage, Congestion.NonReader());
        await Congestion.OverfillAsync(stage, client);
        Check.Equal(1, first.Pauses);

        var second = new RecordingProtocol();
        client.SetProtocol(second);
        server.Transport.ResumeReading();
        await stage.UntilAsync(() => second.Trace.Count > 0);

        Check.Trace(second.Trace, "ResumeWriting");
        Check.Equal(0, first.Resumes);
        client.Close();
        await second.Lost;
    }

    [Check("TCP-065")]
    public static async Task What_was_written_before_an_exchange_leaves_before_what_comes_after(CheckStage stage)
    {
        var (client, _, server) = await ConnectAsync(stage);

        client.Write("before "u8);
        client.SetProtocol(new RecordingProtocol());
        if (stage.TakesAtOnce) Check.Equal(0, client.WriteBufferSize);
        client.Write("after"u8);
        client.Close();

        Check.That(await server.Lost is null);
        Check.Bytes("before after"u8, server.Received);
    }

    [Check("TCP-065")]
    public static async Task A_protocol_that_only_reads_fits_a_duplex(CheckStage stage)
    {
        var (client, _, server) = await ConnectAsync(stage);
        var lines = new Reader();

        client.SetProtocol(lines);
        server.Transport.Write("received"u8);
        server.Transport.Close();
        await stage.UntilAsync(() => lines.IsLost);

        Check.Bytes("received"u8, lines.Received.ToArray());
    }

    [Check("TCP-065")]
    public static async Task A_protocol_that_cannot_serve_is_refused_and_nothing_changes(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Throws<ArgumentException>(() => ((IWriteTransport)pair.Client).SetProtocol(new Writer()));
        Check.Throws<ArgumentException>(() => pair.Client.SetProtocol(pair.ServerProtocol));
        Check.Throws<ArgumentNullException>(() => pair.Client.SetProtocol((RecordingProtocol)null!));
        Check.That(ReferenceEquals(pair.ClientProtocol, pair.Client.Protocol) && ReferenceEquals(pair.ServerProtocol, pair.Server.Protocol));

        pair.Client.SetProtocol(pair.ClientProtocol);
        pair.Server.Write("still mine"u8);
        await pair.ClientProtocol.WaitForBytesAsync(10);
    }

    [Check("TCP-065")]
    public static async Task A_protocol_that_cannot_receive_is_refused_and_nothing_changes(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();

        Check.Throws<ArgumentException>(() => ((IWriteTransport)pair.Client).SetProtocol(new Writer()));
        Check.Throws<ArgumentNullException>(() => pair.Client.SetProtocol((RecordingProtocol)null!));
        Check.That(ReferenceEquals(pair.ClientProtocol, pair.Client.Protocol));

        pair.Server.Write("still mine"u8);
        await pair.ClientProtocol.WaitForBytesAsync(10);
    }

    [Check("TCP-065")]
    public static async Task An_old_protocol_is_free_for_another_connection(CheckStage stage)
    {
        var (client, first, server) = await ConnectAsync(stage);
        var (otherClient, _, otherServer) = await ConnectAsync(stage);

        client.SetProtocol(new RecordingProtocol());
        otherClient.SetProtocol(first);
        otherServer.Transport.Write("moved"u8);
        await stage.UntilAsync(() => first.Received.Count == 5);

        client.Close();
        otherServer.Transport.Close();
        await server.Lost;
        await stage.UntilAsync(() => first.IsLost);
    }

    private static async Task<(ITransport Client, Leaver First, RecordingProtocol Server)> ConnectAsync(CheckStage stage, RecordingProtocol? server = null)
    {
        var first = new Leaver();
        server ??= new RecordingProtocol();
        var pair = await stage.ConnectAsync(() => first, () => server);
        return (pair.Client, first, server);
    }

    /// <summary>A protocol that gives its transport away, and so hears of no loss.</summary>
    private sealed class Leaver : Protocol
    {
        public List<byte> Received { get; } = [];

        public int Pauses { get; private set; }

        public int Resumes { get; private set; }

        public bool IsLost { get; private set; }

        public override void DataReceived(ReadOnlySpan<byte> data) => Received.AddRange(data);

        public override void PauseWriting() => Pauses++;

        public override void ResumeWriting() => Resumes++;

        public override void ConnectionLost(Exception? exception) => IsLost = true;
    }

    private sealed class Reader : ReadProtocol
    {
        public List<byte> Received { get; } = [];

        public bool IsLost { get; private set; }

        public override void DataReceived(ReadOnlySpan<byte> data) => Received.AddRange(data);

        public override void ConnectionLost(Exception? exception) => IsLost = true;
    }

    private sealed class Writer : WriteProtocol;
}
