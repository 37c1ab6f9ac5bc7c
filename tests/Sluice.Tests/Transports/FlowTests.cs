using Sluice.Tests.Doubles;
using Sluice.Transports;

namespace Sluice.Tests.Transports;

/// <summary>What the protocol is told of a write buffer that grows and drains.</summary>
public sealed class FlowTests
{
    [Fact]
    [Case("FLOW-001")]
    public void A_fresh_transport_has_asyncio_s_limits()
    {
        using var rig = StreamRig.Started();

        Assert.Equal((16384, 65536), rig.Transport.WriteBufferLimits);
    }

    [Fact]
    [Case("FLOW-005", "FLOW-006", "FLOW-007", "BUG-031")]
    public void Above_high_pauses_and_at_low_resumes()
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 10, low: 4);
        rig.Clog(10);

        rig.Step(() =>
        {
            rig.Transport.Write("x"u8);
            Assert.Equal("PauseWriting", rig.Take());
            rig.Transport.Write("more"u8);
        });
        Assert.Equal(15, rig.Transport.WriteBufferSize);

        rig.Channel.Accept(1);
        rig.CompleteWrite();
        Assert.Equal("TryWrite(5), StartWrite(4), ResumeWriting", rig.Take());
    }

    [Fact]
    [Case("FLOW-006")]
    public void At_exactly_low_it_resumes_and_above_it_does_not()
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 10, low: 4);
        rig.Channel.Accept(0);
        rig.Write("0123456789+");
        Assert.Equal("TryWrite(11), StartWrite(11), PauseWriting", rig.Take());

        rig.CompleteWrite(6);
        Assert.Equal("StartWrite(5)", rig.Take());
        rig.CompleteWrite(1);
        Assert.Equal("StartWrite(4), ResumeWriting", rig.Take());
        rig.CompleteWrite();
        Assert.Equal("", rig.Take());
    }

    [Fact]
    [Case("FLOW-008")]
    public void A_write_above_high_that_is_taken_whole_does_not_pause()
    {
        using var rig = StreamRig.Started();

        rig.Step(() => rig.Transport.Write(new byte[1_000_000]));

        Assert.Equal("TryWrite(1000000)", rig.Take());
    }

    [Fact]
    public void The_kernel_is_asked_before_small_writes_pause()
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 10);

        rig.Step(() =>
        {
            rig.Transport.Write("0123456789"u8);
            Assert.Equal("", rig.Take());
            rig.Transport.Write("+"u8);
            Assert.Equal("TryWrite(11)", rig.Take());
        });
    }

    [Fact]
    [Case("FLOW-009")]
    public void Without_a_buffer_every_write_is_immediate()
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 0);

        rig.Step(() =>
        {
            rig.Transport.Write("a"u8);
            Assert.Equal("TryWrite(1)", rig.Take());
            rig.Channel.Accept(0);
            rig.Transport.Write("b"u8);
            Assert.Equal("TryWrite(1), StartWrite(1), PauseWriting", rig.Take());
        });

        rig.CompleteWrite();
        Assert.Equal("ResumeWriting", rig.Take());
    }

    [Fact]
    [Case("FLOW-004")]
    public void New_limits_are_checked_for_pausing_only()
    {
        using var rig = StreamRig.Started();
        rig.Clog(512);

        rig.Step(() => rig.Transport.SetWriteBufferLimits(1024, 128));
        Assert.Equal("", rig.Take());
        rig.Step(() => rig.Transport.SetWriteBufferLimits(256, 128));
        Assert.Equal("PauseWriting", rig.Take());
        rig.Step(() => rig.Transport.SetWriteBufferLimits(1024, 600));
        Assert.Equal("", rig.Take());
    }

    [Fact]
    [Case("FLOW-004")]
    public void The_kernel_is_asked_before_new_limits_pause()
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.Write(new byte[512]);
            rig.Transport.SetWriteBufferLimits(256, 128);
            Assert.Equal("TryWrite(512)", rig.Take());
        });

        Assert.Equal("", rig.Take());
    }

    [Fact]
    [Case("FLOW-003")]
    public void Impossible_limits_change_nothing()
    {
        using var rig = StreamRig.Started();

        rig.Step(() => Assert.Throws<ArgumentOutOfRangeException>(() => rig.Transport.SetWriteBufferLimits(high: 0, low: 1)));

        Assert.Equal((16384, 65536), rig.Transport.WriteBufferLimits);
    }

    [Theory]
    [Case("FLOW-010")]
    [InlineData("PauseWriting", "protocol.PauseWriting() failed")]
    [InlineData("ResumeWriting", "protocol.ResumeWriting() failed")]
    public void A_flow_callback_that_throws_is_reported_and_changes_nothing_else(string callback, string message)
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 2);
        rig.Callbacks.On(callback, _ => throw new FormatException());

        rig.Clog(3);
        rig.CompleteWrite();
        rig.Write("ok");

        var report = Assert.Single(rig.Reports);
        Assert.Equal(message, report.Message);
        Assert.IsType<FormatException>(report.Exception);
        Assert.Same(rig.Transport, report.Transport);
        Assert.Same(rig.Protocol, report.Protocol);
        Assert.Equal("ResumeWriting, TryWrite(2)", rig.Take());
    }

    [Theory]
    [Case("FLOW-013")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_write_in_parts_pauses_once_and_after_its_last_part(bool asSequence)
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 4);
        rig.Channel.Accept(1);
        rig.Callbacks.On("PauseWriting", transport => transport.Write("!"u8));

        rig.Step(() =>
        {
            if (asSequence) rig.Transport.Write(WritingTests.Sequence("abc", "def", "ghi"));
            else rig.Transport.WriteLines(WritingTests.Parts("abc", "def", "ghi"));
        });

        Assert.Equal("TryWrite(9), StartWrite(8), PauseWriting", rig.Take());
        rig.CompleteWrite();
        Assert.Equal("abcdefghi!", rig.Channel.Sent);
    }

    [Fact]
    [Case("FLOW-014")]
    public void A_ResumeWriting_that_closes_loses_the_connection_once()
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 0);
        rig.Clog(3);
        rig.Callbacks.On("ResumeWriting", transport => transport.Close());

        rig.CompleteWrite();
        rig.Pass(3);

        Assert.Equal("ResumeWriting, StopReading, ConnectionLost(null), Close", rig.Take());
    }

    [Fact]
    [Case("BUG-008")]
    public void A_PauseWriting_that_closes_is_never_followed_by_ResumeWriting()
    {
        using var rig = StreamRig.Started();
        rig.Transport.SetWriteBufferLimits(high: 0);
        rig.Callbacks.On("PauseWriting", transport => transport.Close());
        rig.Channel.Accept(0);
        rig.Write("abc");

        rig.CompleteWrite();
        rig.Pass(2);

        Assert.Equal("TryWrite(3), StartWrite(3), PauseWriting, StopReading, StartReading, StopReading, ConnectionLost(null), Close", rig.Take());
    }

    [Theory]
    [Case("BUG-031")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void More_than_the_hard_limit_aborts_and_the_write_returns(int kind)
    {
        using var rig = StreamRig.Started(maxWriteBufferSize: 1000);
        rig.Clog(10);

        rig.Step(() =>
        {
            rig.Transport.Write(new byte[990]);
            Assert.False(rig.Transport.IsClosing);
            if (kind == 0) rig.Transport.Write("!"u8);
            else if (kind == 1) rig.Transport.WriteLines(WritingTests.Parts("!", "!"));
            else BufferWrite(rig.Transport);
            Assert.Equal(0, rig.Transport.WriteBufferSize);
        });
        rig.Pass();

        Assert.Equal("StopReading, ConnectionLost(WriteBufferLimitException), Close(reset)", rig.Take());
        Assert.Equal(1000, Assert.IsType<WriteBufferLimitException>(rig.Callbacks.Reason).Limit);
    }

    [Fact]
    public void The_hard_limit_counts_only_what_the_kernel_would_not_take()
    {
        using var rig = StreamRig.Started(maxWriteBufferSize: 1000);

        rig.Step(() =>
        {
            for (var i = 0; i < 30; i++) rig.Transport.Write(new byte[100]);
            rig.Transport.Write(new byte[5000]);
            rig.Transport.GetMemory(3000);
            rig.Transport.Advance(3000);
            rig.Transport.WriteLines(Enumerable.Range(0, 30).Select(_ => new ReadOnlyMemory<byte>(new byte[100])));
        });

        Assert.False(rig.Transport.IsClosing);
        Assert.Equal(14_000, rig.Channel.Sent.Length);
    }

    private static void BufferWrite(StreamTransport transport)
    {
        transport.GetSpan(1)[0] = 1;
        transport.Advance(1);
    }
}
