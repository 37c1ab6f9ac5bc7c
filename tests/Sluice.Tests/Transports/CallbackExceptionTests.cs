using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>Where the exception of each callback goes, and what it does to the connection.</summary>
public sealed class CallbackExceptionTests
{
    [Theory]
    [Case("TCP-016", "TCP-017", "TCP-020", "BUF-002", "BUF-004", "BUF-007", "BUG-010")]
    [InlineData("DataReceived", StreamRig.Plain)]
    [InlineData("EofReceived", StreamRig.Plain)]
    [InlineData("GetBuffer", 5)]
    [InlineData("BufferUpdated", 5)]
    [InlineData("EofReceived", 5)]
    public void What_was_written_leaves_then_the_handler_hears_then_the_connection_is_reset(string callback, int bufferSize)
    {
        using var rig = StreamRig.Started(bufferSize);
        var failure = new FormatException();
        rig.Callbacks.On(callback, transport =>
        {
            rig.Trace.Clear();
            transport.Write("reply"u8);
            throw failure;
        });
        rig.Loop.Errors.Handler = context =>
        {
            rig.Trace.Add("handler");
            rig.Reports.Add(context);
        };

        rig.Channel.Receive("data");
        rig.Channel.ReceiveEnd();
        rig.Pass(2);

        var stop = callback == "EofReceived" ? "" : "StopReading, ";
        Assert.Equal($"TryWrite(5), handler, {stop}ConnectionLost(FormatException), Close(reset)", rig.Take());
        Assert.Same(failure, rig.Callbacks.Reason);
        var report = Assert.Single(rig.Reports);
        Assert.Equal($"Fatal error: protocol.{callback}() call failed.", report.Message);
        Assert.Same(failure, report.Exception);
        Assert.Same(rig.Transport, report.Transport);
        Assert.Same(rig.Protocol, report.Protocol);
    }

    [Theory]
    [Case("BUF-002", "BUF-004")]
    [InlineData("GetBuffer")]
    [InlineData("BufferUpdated")]
    public void A_buffered_protocol_that_throws_in_a_later_round_is_not_asked_again(string callback)
    {
        using var rig = StreamRig.Started(bufferSize: 2);
        var calls = 0;
        rig.Callbacks.On(callback, _ =>
        {
            if (++calls == 2) throw new FormatException();
        });
        rig.Channel.ReceiveLate("abcdef");

        rig.Pass(3);

        Assert.Equal(2, calls);
        Assert.EndsWith("StopReading, ConnectionLost(FormatException), Close(reset)", rig.Take(), StringComparison.Ordinal);
    }

    [Theory]
    [Case("BUF-003", "PROTO-003")]
    [InlineData(false)]
    [InlineData(true)]
    public void An_empty_buffer_is_fatal(bool late)
    {
        using var rig = StreamRig.Started();
        rig.Step(() => rig.Transport.SetProtocol(new TracedBufferedProtocol(rig.Callbacks, bufferSize: 0)));
        if (late) rig.Channel.ReceiveLate("data");
        else rig.Channel.Receive("data");

        rig.Pass(2);

        Assert.EndsWith("StopReading, ConnectionLost(InvalidOperationException), Close(reset)", rig.Take(), StringComparison.Ordinal);
        Assert.Equal("GetBuffer() returned an empty buffer.", rig.Callbacks.Reason!.Message);
        Assert.Equal("", rig.Callbacks.Received.ToString());
    }

    [Theory]
    [Case("BUG-009")]
    [InlineData(false, "Close")]
    [InlineData(true, "Close(reset)")]
    public void A_callback_that_throws_after_it_has_ended_the_connection_is_only_reported(bool abort, string expected)
    {
        using var rig = StreamRig.Started();
        rig.Callbacks.On("DataReceived", transport =>
        {
            if (abort) transport.Abort();
            else transport.Close();
            throw new FormatException();
        });

        rig.Receive("data");
        rig.Pass();

        Assert.Equal($"DataReceived(data), StopReading, ConnectionLost(null), {expected}", rig.Take());
        Assert.Single(rig.Reports);
    }

    [Fact]
    [Case("TCP-057")]
    public void A_ConnectionLost_that_throws_is_reported_and_the_channel_is_closed()
    {
        using var rig = StreamRig.Started();
        rig.Callbacks.On("ConnectionLost", _ => throw new FormatException());

        rig.Step(rig.Transport.Close);
        rig.Pass(2);

        Assert.Equal("StopReading, ConnectionLost(null), Close", rig.Take());
        Assert.Single(rig.Reports);
        Assert.Null(rig.Transport.Protocol);
        Assert.Equal(0, rig.Connections.Count);
        Assert.Equal(0, rig.Loop.OpenChannels);
    }

    [Fact]
    public void A_callback_that_throws_while_a_write_is_outstanding_drops_the_queue_when_that_comes_back()
    {
        using var rig = StreamRig.Started();
        rig.Clog(5000);
        rig.Callbacks.On("DataReceived", _ => throw new FormatException());

        rig.Receive("data");
        Assert.Equal(0, rig.Transport.WriteBufferSize);
        Assert.Equal(0, rig.Loop.Segments.Free);
        rig.Pass(2);

        Assert.Equal("DataReceived(data), StopReading, ConnectionLost(FormatException), Close(reset)", rig.Take());
        Assert.Equal(2, rig.Loop.Segments.Free);
    }
}
