using Sluice.Testing;

namespace Sluice.Tests.Tls;

/// <summary>What both ends saw of one connection through a relay.</summary>
internal sealed class TamperedRun
{
    /// <summary>Why the client's call failed, or null.</summary>
    public Exception? ConnectFailure { get; set; }

    /// <summary>What the client's protocol saw.</summary>
    public RecordingProtocol? Client { get; set; }

    /// <summary>What the server's protocol saw; null where none was made.</summary>
    public RecordingProtocol? Server { get; set; }

    /// <summary>How long, in virtual time, the end that waits took from the cut until the relay saw it end the connection. Null where nothing was cut.</summary>
    public TimeSpan? Reaction { get; set; }

    /// <summary>How many passes its loop made meanwhile.</summary>
    public int Passes { get; set; }

    /// <summary>All of it, in virtual time, up to the last descriptor.</summary>
    public TimeSpan Duration { get; set; }

    public bool ClientWasMade => Client is { Trace.Count: > 0 };

    public bool ServerWasMade => Server is { Trace.Count: > 0 };

    /// <summary>What the server's protocol received.</summary>
    public ReadOnlySpan<byte> ServerReceived => Server is null ? [] : Server.Received;

    /// <summary>What the client's protocol received.</summary>
    public ReadOnlySpan<byte> ClientReceived => Client is null ? [] : Client.Received;

    /// <summary>Both ends had the whole conversation and ended in order.</summary>
    public bool Succeeded =>
        ConnectFailure is null && IsWhole(Client, "pong"u8) && IsWhole(Server, "ping"u8);

    /// <summary>The client's program lost its patience after the handshake: no deadline of TLS's runs any more.</summary>
    public bool GaveUp { get; set; }

    /// <summary>Why one end saw a failure, or null where it saw none.</summary>
    public Exception? FailureOf(bool client) => client ? ConnectFailure ?? LossOf(Client) : LossOf(Server);

    public override string ToString() =>
        $"connect {ConnectFailure?.GetType().Name ?? "succeeded"}; client [{Client?.Record}]; server [{Server?.Record}]; {Duration}";

    private static Exception? LossOf(RecordingProtocol? protocol) => protocol is { Lost.IsCompleted: true } ? protocol.Lost.Result : null;

    private static bool IsWhole(RecordingProtocol? protocol, ReadOnlySpan<byte> received) =>
        protocol is { Trace.Count: > 0, Lost.IsCompleted: true } && protocol.Lost.Result is null && protocol.Received.SequenceEqual(received);
}
