using Sluice.Primitives;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>Delivery into the protocol's own memory, without a copy and in rounds.</summary>
public sealed class BufferedReadingTests
{
    [Fact]
    [Case("BUF-001")]
    public void The_kernel_fills_the_protocol_s_memory()
    {
        using var rig = StreamRig.Started(bufferSize: 10);

        rig.Receive("data");

        Assert.Equal("GetBuffer(-1), BufferUpdated(data)", rig.Take());
    }

    [Theory]
    [Case("BUF-010", "BUF-011", "BUF-013")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(50)]
    [InlineData(100)]
    [InlineData(5000)]
    public void Every_byte_arrives_whatever_the_size_of_the_buffer(int bufferSize)
    {
        using var rig = StreamRig.Started(bufferSize);
        var random = new Random(bufferSize);
        var expected = "";
        foreach (var size in (int[])[4, 5, 51, 9216, 1, 4096])
        {
            var text = new string((char)('a' + random.Next(26)), size);
            expected += text;
            if (random.Next(2) == 0) rig.Channel.Receive(text);
            else rig.Channel.ReceiveLate(text);
            if (random.Next(2) == 0) rig.Step(rig.Transport.PauseReading);
            rig.Pass();
            rig.Step(rig.Transport.ResumeReading);
            rig.Pass();
        }

        Assert.Equal(expected, rig.Callbacks.Received.ToString());
        Assert.Empty(rig.Callbacks.Violations);
    }

    [Fact]
    [Case("BUF-013")]
    public void Late_data_comes_in_rounds_with_the_size_that_is_left()
    {
        using var rig = StreamRig.Started(bufferSize: 2);
        rig.Channel.ReceiveLate("abcde");

        rig.Pass();

        Assert.Equal(
            "GetBuffer(5), BufferUpdated(ab), GetBuffer(3), BufferUpdated(cd), GetBuffer(1), BufferUpdated(e)", rig.Take());
    }

    [Theory]
    [InlineData("GetBuffer")]
    [InlineData("BufferUpdated")]
    public void A_pause_between_the_rounds_keeps_the_rest(string callback)
    {
        using var rig = StreamRig.Started(bufferSize: 2);
        rig.Callbacks.Once(callback, transport => transport.PauseReading());
        rig.Channel.ReceiveLate("abcde");
        rig.Channel.ReceiveLate("fg");
        rig.Channel.ReceiveEnd();
        rig.Pass();
        Assert.Equal(callback == "GetBuffer" ? "" : "ab", rig.Callbacks.Received.ToString());

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass(2);

        Assert.Equal("abcdefg", rig.Callbacks.Received.ToString());
        Assert.EndsWith("EofReceived, ConnectionLost(null), Close", rig.Take(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GetBuffer")]
    [InlineData("BufferUpdated")]
    public void A_close_between_the_rounds_drops_the_rest(string callback)
    {
        using var rig = StreamRig.Started(bufferSize: 2);
        rig.Callbacks.Once(callback, transport => transport.Close());
        rig.Channel.ReceiveLate("abcde");

        rig.Pass(2);

        Assert.Equal(callback == "GetBuffer" ? "" : "ab", rig.Callbacks.Received.ToString());
        Assert.EndsWith("StopReading, ConnectionLost(null), Close", rig.Take(), StringComparison.Ordinal);
    }

    [Theory]
    [Case("BUF-005", "TCP-065")]
    [InlineData("GetBuffer", 0, "GetBuffer(5), DataReceived(abcde)")]
    [InlineData("GetBuffer", 4, "GetBuffer(5), GetBuffer(5), BufferUpdated(abcd), GetBuffer(1), BufferUpdated(e)")]
    [InlineData("BufferUpdated", 0, "GetBuffer(5), BufferUpdated(ab), DataReceived(cde)")]
    [InlineData("BufferUpdated", 4, "GetBuffer(5), BufferUpdated(ab), GetBuffer(3), BufferUpdated(cde)")]
    public void A_new_protocol_gets_the_rest_its_own_way(string callback, int bufferSize, string expected)
    {
        using var rig = StreamRig.Started(bufferSize: 2);
        rig.Callbacks.Once(callback, transport => transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, bufferSize)));
        rig.Channel.ReceiveLate("abcde");

        rig.Pass();

        Assert.Equal(expected, rig.Take());
    }

    [Theory]
    [Case("BUF-005")]
    [InlineData(0, "GetBuffer(-1), DataReceived(abcde)")]
    [InlineData(9, "GetBuffer(-1), GetBuffer(-1), BufferUpdated(abcde)")]
    public void A_protocol_exchanged_in_GetBuffer_forgets_the_buffer(int bufferSize, string expected)
    {
        using var rig = StreamRig.Started(bufferSize: 2);
        rig.Callbacks.Once("GetBuffer", transport => transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, bufferSize)));

        rig.Receive("abcde");

        Assert.Equal(expected, rig.Take());
    }

    [Fact]
    [Case("BUF-005")]
    public void A_plain_protocol_can_become_a_buffered_one()
    {
        using var rig = StreamRig.Started();
        rig.Callbacks.Once("DataReceived", transport => transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, 10)));
        rig.Channel.Receive("one");
        rig.Channel.Receive("two");

        rig.Pass();

        Assert.Equal("DataReceived(one), GetBuffer(-1), BufferUpdated(two)", rig.Take());
    }

    [Theory]
    [Case("BUF-006")]
    [InlineData(false, "EofReceived, ConnectionLost(null), Close")]
    [InlineData(true, "EofReceived")]
    public void The_end_is_told_as_to_a_plain_protocol(bool keepsOpen, string expected)
    {
        using var rig = StreamRig.Started(bufferSize: 10);
        rig.Callbacks.KeepsOpen = keepsOpen;

        rig.ReceiveEnd();
        rig.Pass();

        Assert.Equal(expected, rig.Take());
    }

    [Fact]
    [Case("BUF-008")]
    public void A_buffer_that_was_not_filled_is_simply_unused()
    {
        using var rig = StreamRig.Started(bufferSize: 10);
        rig.Channel.ReceiveNothing();
        rig.Pass();
        Assert.Equal("GetBuffer(-1)", rig.Take());

        rig.Receive("x");

        Assert.Equal("GetBuffer(-1), BufferUpdated(x)", rig.Take());
    }

    [Fact]
    [Case("BUF-009")]
    public void A_broken_connection_is_told_as_to_a_plain_protocol()
    {
        using var rig = StreamRig.Started(bufferSize: 10);

        rig.ReceiveEnd(IoError.ConnectionReset);
        rig.Pass();

        Assert.Equal("ConnectionLost(SocketException), Close", rig.Take());
    }
}
