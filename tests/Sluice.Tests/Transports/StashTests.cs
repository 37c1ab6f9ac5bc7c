using Sluice.Primitives;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>What the kernel delivers although reading is paused.</summary>
public sealed class StashTests
{
    [Fact]
    [Case("TCP-008")]
    public void Late_data_is_kept_and_delivered_in_a_turn_after_the_resume()
    {
        using var rig = Paused();
        rig.Channel.ReceiveLate("one");
        rig.Channel.ReceiveLate("two");
        rig.Pass(3);
        Assert.Equal("", rig.Take());

        rig.Step(() =>
        {
            rig.Transport.ResumeReading();
            Assert.Equal("", rig.Take());
        });
        rig.Pass();

        Assert.Equal("DataReceived(onetwo), StartReading", rig.Take());
    }

    [Fact]
    public void Data_that_comes_between_the_resume_and_its_turn_waits_behind_the_stash()
    {
        using var rig = Paused();
        rig.Channel.ReceiveLate("one");
        rig.Pass();
        rig.Channel.ReceiveLate("two");

        rig.Step(rig.Transport.ResumeReading);
        Assert.Equal("", rig.Take());
        rig.Pass();

        Assert.Equal("DataReceived(onetwo), StartReading", rig.Take());
    }

    [Theory]
    [Case("TCP-008", "TCP-021")]
    [InlineData(false, "DataReceived(last), EofReceived, ConnectionLost(null), Close")]
    [InlineData(true, "DataReceived(last), ConnectionLost(SocketException), Close")]
    public void The_end_waits_behind_the_stash(bool broken, string expected)
    {
        using var rig = Paused();
        rig.Channel.ReceiveLate("last");
        rig.Channel.ReceiveEnd(broken ? IoError.ConnectionReset : IoError.None);
        rig.Pass(2);
        Assert.Equal("", rig.Take());

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass(2);

        Assert.Equal(expected, rig.Take());
    }

    [Fact]
    [Case("TCP-008")]
    public void The_end_alone_waits_for_the_resume()
    {
        using var rig = Paused();
        rig.ReceiveEnd();
        Assert.Equal("", rig.Take());

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass(2);

        Assert.Equal("EofReceived, ConnectionLost(null), Close", rig.Take());
    }

    [Fact]
    public void An_end_between_the_resume_and_its_turn_waits_behind_the_stash()
    {
        using var rig = Paused();
        rig.Callbacks.KeepsOpen = true;
        rig.Channel.ReceiveLate("data");
        rig.Pass();
        rig.Channel.ReceiveEnd();
        rig.Step(rig.Transport.ResumeReading);

        rig.Pass(2);

        Assert.Equal("DataReceived(data), EofReceived", rig.Take());
    }

    [Fact]
    public void A_pause_in_the_middle_of_the_stash_keeps_the_rest()
    {
        using var rig = Paused();
        rig.Channel.ReceiveLate(new string('a', SegmentPool.SegmentSize));
        rig.Channel.ReceiveLate("rest");
        rig.Pass();
        rig.Callbacks.Once("DataReceived", transport => transport.PauseReading());

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass(2);
        Assert.Equal("DataReceived(4096 bytes)", rig.Take());

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass();
        Assert.Equal("DataReceived(rest), StartReading", rig.Take());
    }

    [Fact]
    public void Pausing_and_resuming_in_the_middle_of_the_stash_loses_nothing()
    {
        using var rig = Paused();
        rig.Channel.ReceiveLate(new string('a', SegmentPool.SegmentSize));
        rig.Channel.ReceiveLate("rest");
        rig.Pass();
        rig.Callbacks.Once("DataReceived", transport =>
        {
            transport.PauseReading();
            transport.ResumeReading();
        });

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass(3);

        Assert.Equal(new string('a', SegmentPool.SegmentSize) + "rest", rig.Callbacks.Received.ToString());
        Assert.True(rig.Channel.IsReading);
    }

    [Theory]
    [InlineData("Close", "DataReceived(4096 bytes), ConnectionLost(null), Close")]
    [InlineData("Abort", "DataReceived(4096 bytes), ConnectionLost(null), Close(reset)")]
    [InlineData("throw", "DataReceived(4096 bytes), ConnectionLost(FormatException), Close(reset)")]
    public void Ending_it_in_the_middle_of_the_stash_drops_the_rest(string ending, string expected)
    {
        using var rig = Paused();
        rig.Channel.ReceiveLate(new string('a', SegmentPool.SegmentSize));
        rig.Channel.ReceiveLate("rest");
        rig.Channel.ReceiveEnd();
        rig.Pass();
        rig.Callbacks.On("DataReceived", transport =>
        {
            if (ending == "Close") transport.Close();
            else if (ending == "Abort") transport.Abort();
            else throw new FormatException();
        });

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass(3);

        Assert.Equal(expected, rig.Take());
    }

    [Fact]
    public void A_close_that_flushes_does_not_read_on_where_the_end_is_known()
    {
        using var rig = Paused();
        rig.Clog();
        rig.Channel.ReceiveLate("data");
        rig.Channel.ReceiveEnd();
        rig.Pass();

        rig.Step(rig.Transport.Close);
        rig.CompleteWrite();
        rig.Pass();

        Assert.Equal("ConnectionLost(null), Close", rig.Take());
    }

    [Fact]
    public void The_stash_s_segments_go_back()
    {
        using var rig = Paused();
        rig.Channel.ReceiveLate(new string('a', 3 * SegmentPool.SegmentSize));
        rig.Pass();
        rig.Step(rig.Transport.ResumeReading);
        rig.Pass();

        Assert.Equal(3, rig.Loop.Segments.Free);
    }

    private static StreamRig Paused()
    {
        var rig = StreamRig.Started();
        rig.Step(rig.Transport.PauseReading);
        rig.Trace.Clear();
        return rig;
    }
}
