using Microsoft.Win32.SafeHandles;

namespace Sluice.Sweep;

/// <summary>
/// The bytes that streams are made of: each position of each stream has its own, so that a swap, a gap, a repetition or a byte of another connection
/// is found where it is received. Made once; writers and judges take slices.
/// </summary>
internal static class Pattern
{
    public const int LongestSlice = 512 * 1024;

    // A prime: streams that start apart stay apart.
    private const int Period = 1_048_573;

    private static readonly byte[] Bytes = Make();

    /// <summary>The same bytes as a real file, which has no name any more: the system removes it with the process.</summary>
    public static SafeFileHandle File { get; } = MakeFile();

    /// <summary>The bytes of a stream from a position on.</summary>
    /// <param name="stream">Tells streams apart.</param>
    /// <param name="position">From the stream's start.</param>
    /// <param name="count">How many, at most <see cref="LongestSlice"/>.</param>
    public static ReadOnlyMemory<byte> Slice(int stream, long position, int count) =>
        Bytes.AsMemory(OffsetOf(stream, position), count);

    /// <summary>Where in <see cref="File"/> a slice begins.</summary>
    public static int OffsetOf(int stream, long position) => (int)(((stream * 65_537L) + position) % Period);

    private static SafeFileHandle MakeFile()
    {
        var path = Path.GetTempFileName();
        System.IO.File.WriteAllBytes(path, Bytes);
        return System.IO.File.OpenHandle(path, options: FileOptions.DeleteOnClose);
    }

    private static byte[] Make()
    {
        var bytes = new byte[Period + LongestSlice];
        var state = 0x243F6A8885A308D3UL;
        for (var i = 0; i < Period; i++)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes[i] = (byte)(state >> 32);
        }

        bytes.AsSpan(0, LongestSlice).CopyTo(bytes.AsSpan(Period));
        return bytes;
    }
}
