using System.Buffers;

namespace Sluice.Testing.Checks.Protocols;

/// <summary>What every protocol may rely on: the order of its callbacks, harmless defaults, and what its transport tells of itself.</summary>
internal static class ProtocolContractChecks
{
    [Check("PROTO-006", Needs = CheckNeeds.HalfClose)]
    public static async Task A_conversation_is_made_once_ended_once_and_lost_once(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: RecordingProtocol.Echo);

        pair.Client.Write(Payload.Of(50_000));
        pair.Client.WriteEof();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.That(await pair.ServerRecord.Lost is null);
        await stage.SettleAsync();
        foreach (var record in (ProtocolRecord[])[pair.ClientRecord, pair.ServerRecord])
        {
            Check.Bytes(Payload.Of(50_000), record.Received);
            var shape = record.Shape.Where(static entry => entry is not ("PauseWriting" or "ResumeWriting")).Distinct().ToArray();
            Check.Trace(shape, "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)");
            Check.Equal(1, record.Trace.Count(static entry => entry == "EofReceived"));
        }
    }

    [Check("PROTO-006")]
    public static async Task Nothing_comes_after_ConnectionLost_whatever_the_protocol_still_calls(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        pair.Server.Write(Payload.Of(1000));
        pair.Client.Abort();
        Check.That(await pair.ClientRecord.Lost is null);
        var before = pair.ClientRecord.Trace.Count;

        pair.Client.Write("late"u8);
        pair.Client.WriteLines(["later"u8.ToArray()]);
        if (pair.Client.CanWriteEof) pair.Client.WriteEof();
        pair.Client.PauseReading();
        pair.Client.ResumeReading();
        pair.Client.SetWriteBufferLimits(high: 0);
        pair.Client.Close();
        pair.Client.Abort();
        await stage.SettleAsync();

        Check.Equal(before, pair.ClientRecord.Trace.Count);
        Check.That(pair.Client is { IsClosing: true, IsReading: false, Protocol: null, WriteBufferSize: 0 });
    }

    [Check("PROTO-001", "PROTO-002", Needs = CheckNeeds.HalfClose)]
    public static async Task A_protocol_that_overrides_nothing_serves_a_connection_to_its_end(CheckStage stage)
    {
        var pair = await stage.ConnectAsync(server: static () => new Silent());

        pair.Client.Write(Payload.Of(20_000));
        pair.Client.WriteEof();

        Check.That(await pair.ClientRecord.Lost is null);
        Check.Trace(pair.ClientProtocol.Trace, "ConnectionMade", "EofReceived", "ConnectionLost(null)");
    }

    [Check("PROTO-002", Needs = CheckNeeds.HalfClose)]
    public static async Task A_ReadProtocol_receives_from_a_duplex_transport(CheckStage stage)
    {
        var reader = new Reader();
        var pair = await stage.ConnectAsync(() => reader);

        pair.Server.Write(Payload.Of(5_000));
        pair.Server.WriteEof();
        await pair.ServerRecord.Lost;

        Check.That(ReferenceEquals(pair.Client, reader.Transport));
        Check.Bytes(Payload.Of(5_000), reader.Received.ToArray());
    }

    [Check("PROTO-011", "PROTO-012")]
    public static async Task Extra_info_answers_what_is_known_and_gives_back_the_default_for_the_rest(KernelStage stage)
    {
        var pair = await stage.ConnectAsync();
        var client = pair.Client;

        Check.Equal(pair.Server.GetExtraInfo("sockname"), client.GetExtraInfo("peername"));
        Check.That(client.GetExtraInfo("peername") is not null);
        Check.Equal(client.GetExtraInfo("peername"), client.GetExtraInfo(ExtraInfo.PeerName));
        Check.That(client.TryGetExtraInfo(ExtraInfo.Socket, out var socket) && ReferenceEquals(socket, client.GetExtraInfo("socket")));

        var fallback = new object();
        Check.That(client.GetExtraInfo("no such thing") is null);
        Check.That(ReferenceEquals(fallback, client.GetExtraInfo("no such thing", fallback)));
        Check.That(!ReferenceEquals(fallback, client.GetExtraInfo("peername", fallback)));
    }

    [Check("PROTO-012")]
    public static async Task A_name_that_the_transport_does_not_know_gives_back_the_default(CheckStage stage)
    {
        var client = (await stage.ConnectAsync()).Client;
        var fallback = new object();

        Check.That(client.GetExtraInfo("no such thing") is null);
        Check.That(ReferenceEquals(fallback, client.GetExtraInfo("no such thing", fallback)));
    }

    [Check("PROTO-013")]
    public static async Task WriteLines_and_sequences_join_their_parts_in_order(CheckStage stage)
    {
        var pair = await stage.ConnectAsync();
        var sizes = (int[])[3, 0, 1, 5_000, 0, 4_096, 17, 70_000, 2];
        var parts = new List<ReadOnlyMemory<byte>>();
        var length = 0;
        foreach (var size in sizes)
        {
            parts.Add(Payload.At(length, size));
            length += size;
        }

        pair.Client.WriteLines(parts);
        pair.Client.Write(new ReadOnlySequence<byte>(Payload.At(length, 10)));
        pair.Client.WriteLines([]);
        pair.Client.Write(ReadOnlySequence<byte>.Empty);
        await pair.ServerProtocol.WaitForBytesAsync(length + 10);

        Check.Bytes(Payload.Of(length + 10), pair.ServerProtocol.Received);
    }

    private sealed class Silent : Protocol;

    private sealed class Reader : ReadProtocol
    {
        public List<byte> Received { get; } = [];

        public IReadTransport? Transport { get; private set; }

        public override void ConnectionMade(IReadTransport transport) => Transport = transport;

        public override void DataReceived(ReadOnlySpan<byte> data) => Received.AddRange(data);
    }
}
