namespace Sluice.Testing.Checks;

/// <summary>Bytes in which a loss, a repetition or an exchange shows. Shared by the checks.</summary>
internal static class Payload
{
    /// <summary>The first bytes of the pattern.</summary>
    public static byte[] Of(int length) => At(0, length);

    /// <summary>A part of the pattern, for what is written in pieces.</summary>
    public static byte[] At(int offset, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++) bytes[i] = ByteAt(offset + i);
        return bytes;
    }

    private static byte ByteAt(int position) => (byte)((position * 31) ^ (position >> 8));
}
