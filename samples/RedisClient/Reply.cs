using System.Globalization;
using System.Text;

namespace RedisClient;

internal enum ReplyKind
{
    Nothing,
    Status,
    Error,
    Integer,
    Bytes,
    Array,
}

/// <summary>What the server answered.</summary>
internal readonly record struct Reply(ReplyKind Kind, long Integer = 0, byte[]? Bytes = null, Reply[]? Items = null)
{
    /// <exception cref="InvalidCastException">It is something else.</exception>
    public byte[]? AsBytes() => Kind is ReplyKind.Bytes or ReplyKind.Nothing or ReplyKind.Status ? Bytes : throw Not("bytes");

    /// <exception cref="InvalidCastException">It is something else.</exception>
    public long AsInteger() => Kind == ReplyKind.Integer ? Integer : throw Not("a number");

    public override string ToString() => Kind switch
    {
        ReplyKind.Nothing => "(nothing)",
        ReplyKind.Integer => Integer.ToString(CultureInfo.InvariantCulture),
        ReplyKind.Array => $"[{string.Join(", ", Items!)}]",
        _ => Encoding.UTF8.GetString(Bytes!),
    };

    private InvalidCastException Not(string wanted) => new($"The server answered with {Kind}, and {wanted} were expected.");
}
