using System.Buffers.Binary;

namespace Sluice.Tls;

/// <summary>The header that TLS puts before each record, in clear text: as much of it as has to be known without TLS.</summary>
internal static class TlsRecord
{
    private const int HeaderSize = 5;
    private const byte ApplicationData = 23;

    /// <summary>Whether one of some whole records is of the kind that has all that TLS 1.3 encrypts.</summary>
    public static bool HasApplicationData(ReadOnlySpan<byte> records)
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
