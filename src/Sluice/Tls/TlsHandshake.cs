using System.Net.Sockets;
using System.Security.Authentication;

namespace Sluice.Tls;

/// <summary>A handshake as its channel sees it: how large it may be, what of it is held back, and how it ended. A struct inside the channel.</summary>
internal struct TlsHandshake
{
    private const int MostBytes = 128 * 1024;
    private const int MostHelloBytes = 64 * 1024;

    private int _received;
    private bool _hasAnswered;
    private LastFlight _lastFlight;

    /// <summary>Bytes of the peer's have come.</summary>
    public void Receive(int count) => _received += count;

    /// <summary>Bytes of ours are to be sent.</summary>
    /// <returns>True where they are held back until the handshake is done.</returns>
    public bool TryHold(ReadOnlySpan<byte> data, bool isServer)
    {
        _hasAnswered = true;
        return !isServer && _lastFlight.TryHold(data);
    }

    /// <summary>What was held back.</summary>
    public ReadOnlySpan<byte> TakeHeld() => _lastFlight.Take();

    /// <summary>Why it has failed, or null where it goes on or has succeeded.</summary>
    public readonly Exception? FindFailure(TlsEngine engine, bool isServer)
    {
        if (engine.IsHandshakeDone) return engine.HandshakeFailure is IOException and not TlsTruncatedException ? Ended() : engine.HandshakeFailure;
        return _received > MostBytes || (isServer && !_hasAnswered && _received > MostHelloBytes)
            ? new AuthenticationException("The TLS handshake is larger than any that is meant.")
            : null;
    }

    /// <summary>The peer has ended the connection below, or it broke.</summary>
    public static SocketException Ended() => new((int)SocketError.ConnectionReset, "The connection ended during the TLS handshake.");

    /// <summary>Our own side has closed.</summary>
    public static SocketException Closed() => new((int)SocketError.ConnectionAborted, "The connection was closed during the TLS handshake.");

    /// <summary>Its time is over.</summary>
    public static SocketException Late(TlsOptions options) => new(
        (int)SocketError.ConnectionAborted, $"The TLS handshake takes longer than {options.HandshakeTimeout.TotalSeconds} s: the connection is aborted.");
}
