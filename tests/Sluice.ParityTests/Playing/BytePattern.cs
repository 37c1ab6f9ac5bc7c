namespace Sluice.ParityTests.Playing;

/// <summary>Bytes of an endless pattern, whose place in the stream shows in them. The same as the Python driver's.</summary>
internal static class BytePattern
{
    public static byte[] Take(int start, int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++)
        {
            var place = (start + i) & 0xFFFF;
            bytes[i] = (byte)((place * 31) ^ (place >> 8));
        }

        return bytes;
    }
}
