using System.Text;
using RedisClient;

namespace Sluice.Tests.Samples;

/// <summary>The reader of replies in samples/RedisClient: whatever the network cuts, and whatever a hostile server sends.</summary>
public sealed class ReplyReaderTests
{
    private const string All = "+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n*-1\r\n$0\r\n\r\n*0\r\n$5\r\nh\r\nlo\r\n*3\r\n:1\r\n*2\r\n$1\r\na\r\n$-1\r\n+x\r\n:7\r\n";
    private const string Meaning = "OK|ERR no|-42|(nothing)|(nothing)||[]|h\r\nlo|[1, [a, (nothing)], x]|7";

    [Fact]
    public void Replies_are_the_same_wherever_they_are_cut()
    {
        var bytes = Encoding.ASCII.GetBytes(All);
        for (var first = 0; first <= bytes.Length; first++)
        {
            for (var second = first; second <= bytes.Length; second++)
            {
                Assert.Equal(Meaning, string.Join('|', Read(new ReplyReader(10_000), bytes[..first], bytes[first..second], bytes[second..])));
            }
        }

        Assert.Equal(Meaning, string.Join('|', Read(new ReplyReader(10_000), [.. bytes.Select(static letter => (byte[])[letter])])));
    }

    [Theory]
    [InlineData("OK\r\n")]
    [InlineData("+OK\n")]
    [InlineData("\r\n")]
    [InlineData(":\r\n")]
    [InlineData(":1x\r\n")]
    [InlineData("$x\r\n")]
    [InlineData("$-2\r\n")]
    [InlineData("$1001\r\n")]
    [InlineData("$99999999999999999999\r\n")]
    [InlineData("$2\r\nabc\r\n")]
    [InlineData("*-2\r\n")]
    [InlineData("*21\r\n")]
    [InlineData("*9223372036854775807\r\n")]
    [InlineData("*2\r\n$600\r\n")]
    public void What_is_no_reply_or_too_large_a_one_is_refused_at_once(string bytes)
    {
        var data = bytes.StartsWith("*2\r\n$600", StringComparison.Ordinal) ? $"*2\r\n$600\r\n{new string('x', 600)}\r\n$600\r\n" : bytes;

        Assert.Throws<RedisProtocolException>(() => Read(new ReplyReader(1_000), Encoding.ASCII.GetBytes(data)));
    }

    [Fact]
    public void A_line_without_end_and_arrays_in_arrays_without_end_are_refused()
    {
        Assert.Throws<RedisProtocolException>(() => Read(new ReplyReader(1 << 20), [.. Enumerable.Repeat(Encoding.ASCII.GetBytes(new string('+', 1_000)), 100)]));
        Assert.Throws<RedisProtocolException>(() => Read(new ReplyReader(1 << 20), Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("*1\r\n", 100)))));
    }

    [Fact]
    public void A_long_promise_takes_no_memory_before_it_is_kept()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();

        Assert.Empty(Read(new ReplyReader(64 << 20), "$60000000\r\n"u8.ToArray(), "only this"u8.ToArray()));

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Requests_are_written_as_servers_read_them()
    {
        Assert.Equal("*2\r\n$3\r\nGET\r\n$2\r\n\u00e9\r\n", Encoding.UTF8.GetString(Request.Of(["GET", "\u00e9"])));
        Assert.Equal("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\nhello, world\r\n", Encoding.UTF8.GetString(Request.Of(["SET", ""], "hello, world"u8.ToArray())));
    }

    private static List<string> Read(ReplyReader reader, params byte[][] parts)
    {
        var replies = new List<string>();
        foreach (var part in parts)
        {
            ReadOnlySpan<byte> data = part;
            while (reader.TryRead(ref data, out var reply)) replies.Add(reply.ToString());
            Assert.True(data.IsEmpty);
        }

        return replies;
    }
}
