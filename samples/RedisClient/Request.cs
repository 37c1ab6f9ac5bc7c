using System.Buffers.Text;
using System.Text;

namespace RedisClient;

/// <summary>Commands as the server reads them: an array of strings, each with its length before it.</summary>
internal static class Request
{
    /// <summary>Encodes words and, behind them, perhaps a value of bytes.</summary>
    public static byte[] Of(ReadOnlySpan<string> words, byte[]? value = null)
    {
        var size = SizeOfHead(words.Length + (value is null ? 0 : 1));
        foreach (var word in words) size += SizeOf(Encoding.UTF8.GetByteCount(word));
        if (value is not null) size += SizeOf(value.Length);

        var request = new byte[size];
        var rest = request.AsSpan();
        Head('*', words.Length + (value is null ? 0 : 1), ref rest);
        foreach (var word in words)
        {
            Head('$', Encoding.UTF8.GetByteCount(word), ref rest);
            rest = rest[Encoding.UTF8.GetBytes(word, rest)..];
            End(ref rest);
        }

        if (value is null) return request;
        Head('$', value.Length, ref rest);
        value.CopyTo(rest);
        rest = rest[value.Length..];
        End(ref rest);
        return request;
    }

    private static int SizeOf(int length) => SizeOfHead(length) + length + 2;

    private static int SizeOfHead(int number)
    {
        var digits = 1;
        for (; number >= 10; number /= 10) digits++;
        return 1 + digits + 2;
    }

    private static void Head(char kind, int number, ref Span<byte> rest)
    {
        rest[0] = (byte)kind;
        Utf8Formatter.TryFormat(number, rest[1..], out var digits);
        rest = rest[(1 + digits)..];
        End(ref rest);
    }

    private static void End(ref Span<byte> rest)
    {
        "\r\n"u8.CopyTo(rest);
        rest = rest[2..];
    }
}
