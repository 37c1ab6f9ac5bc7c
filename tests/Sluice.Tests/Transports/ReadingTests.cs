using System.Net.Sockets;
using Sluice.Primitives;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>Data, its end, and pausing in between, for a plain protocol.</summary>
public sealed class ReadingTests
{
    [Fact]
    [Case("TCP-009")]
    public void Data_is_delivered_as_it_comes()
    {
        using var rig = StreamRig.Started();

        rig.Receive("one");
        rig.Receive("two");

        Assert.Equal("DataReceived(one), DataReceived(two)", rig.Take());
    }

    [Fact]
    [Case("TCP-005", "BUG-024")]
    public void Pausing_and_resuming_are_idempotent()
    {
        using var rig = StreamRig.Started();
        rig.Step(rig.Transport.PauseReading);
        rig.Step(rig.Transport.PauseReading);
        Assert.False(rig.Transport.IsReading);
        Assert.Equal("StopReading", rig.Take());

        rig.Step(rig.Transport.ResumeReading);
        rig.Step(rig.Transport.ResumeReading);
        rig.Pass();
        Assert.True(rig.Transport.IsReading);
        Assert.Equal("StartReading", rig.Take());
    }

    [Fact]
    public void A_resume_that_is_taken_back_before_its_turn_does_nothing()
    {
        using var rig = StreamRig.Started();
        rig.Step(rig.Transport.PauseReading);
        rig.Take();

        rig.Step(() =>
        {
            rig.Transport.ResumeReading();
            rig.Transport.PauseReading();
        });
        rig.Pass(2);

        Assert.Equal("", rig.Take());
    }

    [Theory]
    [Case("TCP-006", "TCP-058", "BUG-024")]
    [InlineData("Close")]
    [InlineData("Abort")]
    [InlineData("lost")]
    public void Pausing_and_resuming_what_ends_does_nothing(string ending)
    {
        using var rig = StreamRig.Started();
        rig.Clog();
        rig.Step(ending == "Close" ? rig.Transport.Close : rig.Transport.Abort);
        if (ending == "lost") rig.Pass(2);
        rig.Take();

        rig.Step(() =>
        {
            rig.Transport.PauseReading();
            rig.Transport.ResumeReading();
            Assert.False(rig.Transport.IsReading);
        });

        Assert.DoesNotContain(rig.Trace, line => line.Contains("Reading", StringComparison.Ordinal));
    }

    [Fact]
    [Case("PROTO-002", "PROTO-006")]
    public void The_peer_s_end_closes_by_default()
    {
        using var rig = StreamRig.Started();

        rig.ReceiveEnd();
        rig.Pass();

        Assert.Equal("EofReceived, ConnectionLost(null), Close", rig.Take());
    }

    [Fact]
    [Case("TCP-019")]
    public void The_peer_s_end_can_leave_the_sending_side_open()
    {
        using var rig = StreamRig.Started();
        rig.Callbacks.KeepsOpen = true;
        rig.ReceiveEnd();
        Assert.Equal("EofReceived", rig.Take());
        Assert.False(rig.Transport.IsReading);
        Assert.False(rig.Transport.IsClosing);

        rig.Write("late");
        rig.Step(rig.Transport.PauseReading);
        rig.Step(rig.Transport.ResumeReading);
        rig.Pass(2);
        Assert.Equal("TryWrite(4)", rig.Take());

        rig.Step(rig.Transport.Close);
        rig.Pass();
        Assert.Equal("ConnectionLost(null), Close", rig.Take());
    }

    [Fact]
    public void The_peer_s_end_flushes_before_it_closes()
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);

        rig.ReceiveEnd();
        Assert.Equal("EofReceived", rig.Take());

        rig.CompleteWrite();
        rig.Pass();
        Assert.Equal("ConnectionLost(null), Close", rig.Take());
        Assert.Equal("...", rig.Channel.Sent);
    }

    [Fact]
    [Case("TCP-012", "TCP-013", "TCP-015")]
    public void A_broken_connection_is_told_to_the_protocol_and_not_to_the_handler()
    {
        using var rig = StreamRig.Started();

        rig.ReceiveEnd(IoError.ConnectionReset);
        Assert.Equal("", rig.Take());
        rig.Pass();

        Assert.Equal("ConnectionLost(SocketException), Close", rig.Take());
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(rig.Callbacks.Reason).SocketErrorCode);
        Assert.Empty(rig.Reports);
        Assert.Contains("Debug: A connection broke.", rig.Log.Entries);
    }

    [Fact]
    public void A_connection_that_breaks_while_it_closes_is_lost_with_the_reason()
    {
        using var rig = StreamRig.Started();
        rig.Clog();
        rig.Step(rig.Transport.Close);
        Assert.Equal("StopReading, StartReading", rig.Take());

        rig.ReceiveEnd(IoError.ConnectionReset);
        rig.Pass();

        Assert.Equal("ConnectionLost(SocketException), Close", rig.Take());
    }

    [Fact]
    [Case("TCP-051")]
    public void What_arrives_in_a_closing_connection_is_dropped()
    {
        using var rig = StreamRig.Started();
        rig.Clog();
        rig.Step(rig.Transport.Close);
        rig.Take();

        rig.Receive("too late");
        rig.ReceiveEnd();

        Assert.Equal("", rig.Take());
        rig.CompleteWrite();
        rig.Pass();
        Assert.Equal("ConnectionLost(null), Close", rig.Take());
    }

    [Fact]
    public void What_arrives_after_the_loss_is_dropped()
    {
        using var rig = StreamRig.Started();
        rig.Channel.ReceiveLate("last");
        rig.Channel.ReceiveLate("later");
        rig.Channel.ReceiveEnd(IoError.ConnectionReset);
        rig.Callbacks.On("DataReceived", transport => transport.Abort());

        rig.Pass(2);

        Assert.Equal("DataReceived(last), StopReading, ConnectionLost(null), Close(reset)", rig.Take());
    }
}
