using Sluice.Primitives;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>Close, Abort, WriteEof and what follows them.</summary>
public sealed class ClosingTests
{
    [Fact]
    [Case("TCP-050", "TCP-057", "BUG-009")]
    public void A_close_with_nothing_queued_is_told_in_a_later_turn()
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.Close();
            rig.Transport.Close();
            Assert.Equal("StopReading", rig.Take());
            Assert.True(rig.Transport.IsClosing);
            Assert.Same(rig.Protocol, rig.Transport.Protocol);
        });
        rig.Pass(3);

        Assert.Equal("ConnectionLost(null), Close", rig.Take());
        Assert.Null(rig.Transport.Protocol);
    }

    [Fact]
    [Case("TCP-051", "TCP-052", "TCP-038")]
    public void A_close_sends_what_is_queued_and_written_meanwhile()
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);
        rig.Step(rig.Transport.Close);
        Assert.Equal("StopReading, StartReading", rig.Take());

        rig.Write("more");
        rig.CompleteWrite();
        Assert.Equal("TryWrite(4), StopReading", rig.Take());
        rig.Pass();

        Assert.Equal("ConnectionLost(null), Close", rig.Take());
        Assert.Equal("...more", rig.Channel.Sent);
    }

    [Theory]
    [Case("TCP-053", "TCP-054", "TCP-055", "BUG-009")]
    [InlineData(false)]
    [InlineData(true)]
    public void An_abort_drops_what_the_kernel_has_not_taken(bool closesFirst)
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);
        if (closesFirst) rig.Step(rig.Transport.Close);

        rig.Step(() =>
        {
            rig.Transport.Write("dropped"u8);
            rig.Transport.Abort();
            rig.Transport.Abort();
            rig.Transport.Close();
            Assert.Equal(0, rig.Transport.WriteBufferSize);
        });
        rig.Pass(3);

        Assert.EndsWith("StopReading, ConnectionLost(null), Close(reset)", rig.Take(), StringComparison.Ordinal);
        Assert.Equal("", rig.Channel.Sent);
    }

    [Theory]
    [Case("TCP-056")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_write_that_completes_after_the_abort_is_ignored(bool fails)
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);
        rig.Channel.CompleteWrite(error: fails ? IoError.BrokenPipe : IoError.None);

        rig.Step(rig.Transport.Abort);
        rig.Pass(2);

        Assert.Equal("StopReading, ConnectionLost(null), Close(reset)", rig.Take());
        Assert.Empty(rig.Reports);
        Assert.True(rig.Loop.Segments.Free > 0);
    }

    [Theory]
    [InlineData("Close", "TryWrite(5), ConnectionLost(null), Close")]
    [InlineData("Abort", "TryWrite(5), StopReading, ConnectionLost(null), Close(reset)")]
    [InlineData("WriteEof", "TryWrite(5), ShutdownWrite")]
    [InlineData("SetProtocol", "TryWrite(5)")]
    public void What_was_written_before_leaves_first(string call, string expected)
    {
        using var rig = StreamRig.Started();
        using var other = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.Write("bytes"u8);
            if (call == "Close") rig.Transport.Close();
            else if (call == "Abort") rig.Transport.Abort();
            else if (call == "WriteEof") rig.Transport.WriteEof();
            else if (call == "SetProtocol") rig.Transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, StreamRig.Plain));
            else Assert.Throws<ArgumentException>(() => rig.Transport.SetProtocol(other.Protocol));
            Assert.Equal("bytes", rig.Channel.Sent);
        });
        rig.Pass(2);

        Assert.Equal(call == "Close" ? "StopReading, " + expected : expected, rig.Take());
    }

    [Fact]
    public void An_abort_offers_the_kernel_the_queue_once()
    {
        using var rig = StreamRig.Started();
        rig.Channel.Accept(2);

        rig.Step(() =>
        {
            rig.Transport.Write("bytes"u8);
            rig.Transport.Abort();
        });
        rig.Pass();

        Assert.Equal("TryWrite(5), StopReading, ConnectionLost(null), Close(reset)", rig.Take());
        Assert.Equal("by", rig.Channel.Sent);
    }

    [Fact]
    public void A_close_whose_flush_fails_is_lost_with_the_reason()
    {
        using var rig = StreamRig.Started();
        rig.Channel.RefuseWith(IoError.BrokenPipe);

        rig.Step(() =>
        {
            rig.Transport.Write("bytes"u8);
            rig.Transport.Close();
        });
        rig.Pass();

        Assert.Equal("StopReading, TryWrite(5), ConnectionLost(SocketException), Close", rig.Take());
    }

    [Fact]
    [Case("TCP-044", "BUG-014")]
    public void WriteEof_ends_the_sending_side_when_the_queue_is_empty()
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);
        rig.Write("tail");

        rig.Step(() =>
        {
            rig.Transport.WriteEof();
            rig.Transport.WriteEof();
        });
        Assert.Equal("", rig.Take());
        rig.CompleteWrite();
        Assert.Equal("TryWrite(4), ShutdownWrite", rig.Take());
        rig.Step(rig.Transport.WriteEof);
        Assert.Equal("", rig.Take());

        rig.Receive("still reading");
        Assert.Equal("DataReceived(still reading)", rig.Take());
    }

    [Fact]
    public void Writing_after_WriteEof_throws_even_nothing()
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.WriteEof();
            Assert.Throws<InvalidOperationException>(() => rig.Transport.Write([]));
            Assert.Throws<InvalidOperationException>(() => rig.Transport.Write("x"u8));
            Assert.Throws<InvalidOperationException>(() => rig.Transport.WriteLines([]));
            Assert.Throws<InvalidOperationException>(() => rig.Transport.Write(WritingTests.Sequence("x", "y")));
        });

        Assert.Equal("ShutdownWrite", rig.Take());
    }

    [Fact]
    [Case("TCP-046")]
    public void WriteEof_after_close_does_nothing_and_a_close_supersedes_it()
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);
        rig.Step(() =>
        {
            rig.Transport.WriteEof();
            rig.Transport.Close();
            rig.Transport.WriteEof();
        });

        rig.CompleteWrite();
        rig.Pass();

        Assert.Equal("StopReading, StartReading, StopReading, ConnectionLost(null), Close", rig.Take());
    }

    [Fact]
    [Case("TCP-058", "TCP-061")]
    public void After_the_loss_every_call_is_harmless()
    {
        using var rig = StreamRig.Started();
        var transport = rig.Transport;
        rig.Step(transport.Close);
        rig.Pass(2);
        rig.Take();

        rig.Step(() =>
        {
            transport.Close();
            transport.Abort();
            transport.Write("x"u8);
            transport.WriteLines(WritingTests.Parts("x"));
            transport.WriteEof();
            transport.PauseReading();
            transport.ResumeReading();
            transport.SetWriteBufferLimits(1, 0);
            transport.SetProtocol(StreamRig.NewProtocol(rig.Callbacks, StreamRig.Plain));
            Assert.True(transport.IsClosing);
            Assert.False(transport.IsReading);
            Assert.NotNull(transport.GetExtraInfo(ExtraInfo.PeerName));
        });
        rig.Pass();

        Assert.Equal("", rig.Take());
        Assert.Null(transport.Protocol);
    }

    [Fact]
    [Case("TCP-061")]
    public void ToString_answers_in_every_state()
    {
        using var rig = new StreamRig();
        var texts = new List<string> { rig.Transport.ToString() };
        rig.Pass();
        texts.Add(rig.Transport.ToString());
        rig.Clog();
        rig.Step(rig.Transport.Close);
        texts.Add(rig.Transport.ToString());
        rig.Step(rig.Transport.Abort);
        texts.Add(rig.Transport.ToString());
        rig.Pass(2);
        rig.Loop.Close();
        texts.Add(rig.Transport.ToString());

        Assert.Equal(
            ["Opening", "Open", "Closing", "Lost", "Closed"],
            texts.Select(text => text.Split(' ')[1]));
    }
}
