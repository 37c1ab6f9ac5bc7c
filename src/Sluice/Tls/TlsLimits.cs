namespace Sluice.Tls;

/// <summary>How much is taken from a peer that nobody trusts yet, or no more.</summary>
internal static class TlsLimits
{
    /// <summary>All of a handshake.</summary>
    public const int MostHandshakeBytes = 128 * 1024;

    /// <summary>What a server takes before it has answered.</summary>
    public const int MostHelloBytes = 64 * 1024;

    /// <summary>What is read and dropped behind our goodbye.</summary>
    public const int MostDiscarded = 256 * 1024;

    /// <summary>What is received at a time during a handshake.</summary>
    public const int HandshakeReceive = 16 * 1024;
}
