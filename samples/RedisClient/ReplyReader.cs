using System.Buffers.Text;

namespace RedisClient;

/// <summary>
/// Cuts what arrives into replies, wherever the network has cut it. It goes on where it stopped: a reply that comes in a thousand pieces is not read a
/// thousand times from its start.
/// </summary>
internal sealed class ReplyReader(int maxReplySize)
{
    private const int MaxLine = 64 * 1024;
    private const int MaxDepth = 32;
    private const int SizeOfItem = 48;

    private readonly List<byte> _line = [];
    private readonly Stack<(List<Reply> Items, int Count)> _open = new();
    private byte[]? _bytes;
    private int _promised;
    private int _filled;
    private long _size;

    /// <summary>Takes bytes off the front of the data until a reply is whole, or none are left.</summary>
    /// <exception cref="RedisProtocolException">That is no reply, or too large a one.</exception>
    public bool TryRead(ref ReadOnlySpan<byte> data, out Reply reply)
    {
        while (TryReadOne(ref data, out reply, out var isWhole))
        {
            if (isWhole && TryClose(ref reply)) return true;
        }

        return false;
    }

    /// <summary>Puts a reply into the array that it belongs to, and that one into its own where it is the last. True where a reply stands alone.</summary>
    private bool TryClose(ref Reply reply)
    {
        while (_open.TryPeek(out var array))
        {
            array.Items.Add(reply);
            if (array.Items.Count < array.Count) return false;
            _open.Pop();
            reply = new Reply(ReplyKind.Array, Items: [.. array.Items]);
        }

        _size = 0;
        return true;
    }

    /// <summary>Reads the next line or the rest of a string. False where more has to arrive first; whole is false where an array has begun.</summary>
    private bool TryReadOne(ref ReadOnlySpan<byte> data, out Reply reply, out bool isWhole)
    {
        reply = default;
        isWhole = true;
        if (_bytes is not null) return TryFill(ref data, out reply);

        var end = data.IndexOf((byte)'\n');
        if (_line.Count + (end < 0 ? data.Length : end) > MaxLine) throw new RedisProtocolException("A line of the server's is too long.");
        if (end < 0)
        {
            _line.AddRange(data);
            data = default;
            return false;
        }

        var line = data[..end];
        data = data[(end + 1)..];
        if (_line.Count > 0)
        {
            _line.AddRange(line);
            line = _line.ToArray();
            _line.Clear();
        }

        if (line is not [var kind, .. var text, (byte)'\r']) throw new RedisProtocolException("A line of the server's does not end as it should.");
        switch ((char)kind)
        {
            case '+':
                reply = new Reply(ReplyKind.Status, Bytes: Counted(text));
                return true;
            case '-':
                reply = new Reply(ReplyKind.Error, Bytes: Counted(text));
                return true;
            case ':':
                reply = new Reply(ReplyKind.Integer, Number(text));
                return true;
            case '$':
                var length = Number(text);
                if (length == -1) return true;
                Count(length);
                // Reserved as it arrives: a length is only a promise.
                _bytes = new byte[Math.Min(length, Math.Max(4096, data.Length))];
                _filled = 0;
                _promised = (int)length;
                return TryFill(ref data, out reply);
            case '*':
                var count = Number(text);
                if (count == -1) return true;
                Count(count, SizeOfItem);
                if (count == 0) reply = new Reply(ReplyKind.Array, Items: []);
                else if (_open.Count == MaxDepth) throw new RedisProtocolException("The server's arrays are nested too deep.");
                else _open.Push(([], (int)count));
                isWhole = count == 0;
                return true;
            default:
                throw new RedisProtocolException($"The server sent a reply of the unknown kind {kind}.");
        }
    }

    private bool TryFill(ref ReadOnlySpan<byte> data, out Reply reply)
    {
        reply = default;
        var bytes = _bytes!;
        var part = data[..Math.Min(data.Length, _promised - _filled)];
        if (_filled + part.Length > bytes.Length)
        {
            Array.Resize(ref bytes, (int)Math.Min(_promised, Math.Max(bytes.Length * 2L, _filled + part.Length)));
            _bytes = bytes;
        }

        part.CopyTo(bytes.AsSpan(_filled));
        _filled += part.Length;
        data = data[part.Length..];

        // Two bytes more end it: they are read as an empty line would be.
        if (_filled < _promised || !TrySkipEnd(ref data)) return false;
        reply = new Reply(ReplyKind.Bytes, Bytes: bytes);
        _bytes = null;
        return true;
    }

    private bool TrySkipEnd(ref ReadOnlySpan<byte> data)
    {
        while (_line.Count < 2 && !data.IsEmpty)
        {
            _line.Add(data[0]);
            data = data[1..];
        }

        if (_line.Count < 2) return false;
        if (_line is not [(byte)'\r', (byte)'\n']) throw new RedisProtocolException("A string of the server's does not end where it should.");
        _line.Clear();
        return true;
    }

    private byte[] Counted(ReadOnlySpan<byte> text)
    {
        Count(text.Length);
        return text.ToArray();
    }

    private void Count(long items, int size = 1)
    {
        if (items < 0 || items > (maxReplySize - _size) / size) throw new RedisProtocolException($"A reply of the server's is larger than {maxReplySize:N0} bytes.");
        _size += items * size;
    }

    private static long Number(ReadOnlySpan<byte> text) =>
        Utf8Parser.TryParse(text, out long number, out var length) && length == text.Length
            ? number : throw new RedisProtocolException("The server sent something else in the place of a number.");
}
