using System.Buffers.Binary;

namespace Sluice.Tests.Tls;

/// <summary>What lies at a position of one direction of a TLS connection, in words. Made by a test.</summary>
/// <param name="Name">The kind of record, and the part of it.</param>
/// <param name="IsFirst">It is the first record.</param>
/// <param name="IsLast">It is the last record.</param>
internal readonly record struct TlsPlace(string Name, bool IsFirst, bool IsLast)
{
    private const int HeaderSize = 5;
    private const byte ChangeCipherSpec = 20;
    private const byte Alert = 21;
    private const byte Handshake = 22;
    private const byte ApplicationData = 23;

    /// <summary>Reads the records up to a position.</summary>
    /// <param name="stream">All bytes of the direction.</param>
    /// <param name="position">Where.</param>
    public static TlsPlace Find(ReadOnlySpan<byte> stream, int position)
    {
        var start = 0;
        var isEncrypted = false;
        while (true)
        {
            var type = stream[start];
            var length = BinaryPrimitives.ReadUInt16BigEndian(stream[(start + 3)..]);
            var kind = type switch
            {
                ChangeCipherSpec => "change cipher spec",
                Alert when !isEncrypted => "alert",
                Handshake when !isEncrypted => NameOf(stream[start + HeaderSize]),
                ApplicationData or Alert or Handshake => "encrypted record",
                _ => $"record {type}",
            };
            var end = start + HeaderSize + length;
            if (position < end) return new TlsPlace($"{kind}, {PartOf(position - start)}", start == 0, end == stream.Length);
            isEncrypted |= type is ChangeCipherSpec or ApplicationData;
            start = end;
        }
    }

    private static string NameOf(byte message) => message switch
    {
        1 => "client hello",
        2 => "server hello",
        4 => "session ticket",
        11 => "certificate",
        12 => "server key exchange",
        13 => "certificate request",
        14 => "server hello done",
        15 => "certificate verify",
        16 => "client key exchange",
        _ => $"handshake {message}",
    };

    private static string PartOf(int offset) => offset switch
    {
        0 => "type",
        1 or 2 => "version",
        3 or 4 => "length",
        _ => "body",
    };
}
