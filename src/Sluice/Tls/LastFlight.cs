using System.Buffers.Binary;

namespace Sluice.Tls;

/// <summary>The last flight of a TLS 1.3 client's handshake, held until the server's certificate is judged. A struct inside its channel.</summary>
/// <remarks>
/// SslStream judges the certificate only when it has sent that flight, and with it the client's own certificate. Held, a server that is refused sees neither it nor a
/// connection. It is the first of a client's that is encrypted, which the headers of its records tell. TLS 1.2 encrypts no certificate, and needs its flight to go on.
/// </remarks>
internal struct LastFlight
{
    private const int HeaderSize = 5;
    private const byte ApplicationData = 23;

    private byte[]? _bytes;

    /// <summary>Keeps whole records of the client's handshake, if they belong to it.</summary>
    public bool TryHold(ReadOnlySpan<byte> records)
    {
        if (_bytes is null && !HasApplicationData(records)) return false;
        _bytes = [.. _bytes ?? [], .. records];
        return true;
    }

    /// <summary>What is held; empty where nothing is.</summary>
    public byte[] Take()
    {
        var bytes = _bytes ?? [];
        _bytes = null;
        return bytes;
    }

    private static bool HasApplicationData(ReadOnlySpan<byte> records)
    {
        while (records.Length >= HeaderSize)
        {
            if (records[0] == ApplicationData) return true;
            var size = HeaderSize + BinaryPrimitives.ReadUInt16BigEndian(records[3..]);
            if (size >= records.Length) return false;
            records = records[size..];
        }

        return false;
    }
}
