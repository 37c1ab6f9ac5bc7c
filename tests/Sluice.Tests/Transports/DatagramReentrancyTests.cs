using Sluice.Primitives;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>Protocols that act inside the callbacks of a flush, and what a flush does around them.</summary>
public sealed class DatagramReentrancyTests
{
    [Fact, Case("PROTO-007")]
    public void A_life_begins_with_the_start_and_ends_with_the_one_loss()
    {
        using var rig = DatagramRig.Opening();
        rig.Channel.Fail(IoError.ConnectionRefused);
        rig.Pass();
        rig.Channel.Receive("x");
        rig.Channel.Fail(IoError.ConnectionRefused);
        rig.Pass();
        rig.Step(rig.Transport.Close);
        rig.Step(rig.Transport.Abort);
        rig.Channel.Receive("late");
        rig.Pass(2);
        Assert.Equal("ConnectionMade", rig.Trace[0]);
        Assert.Equal(["Datagram(x)", "Error(ConnectionRefused)", "Lost(null)", "Close"], rig.Trace[^4..]);
        Assert.Single(rig.Trace, "Lost(null)");
    }

    [Fact, Case("BUG-071", "UDP-011")]
    public void A_refused_datagram_is_lost_and_the_rest_goes_on()
    {
        using var rig = DatagramRig.Started();
        rig.Channel.Answer(IoError.None, IoError.NoBufferSpace, IoError.None, IoError.ConnectionRefused);
        rig.Send("a", "b", "c", "d", "e");
        Assert.Equal(["a", "c", "e"], rig.Channel.Sent);
        Assert.Equal(["TrySend(5)", "Error(NoBufferSpaceAvailable)", "TrySend(3)", "Error(ConnectionRefused)", "TrySend(1)"], rig.Trace);
        Assert.Equal(0, rig.Transport.WriteBufferSize);
    }

    [Fact]
    public void A_protocol_that_repeats_what_is_refused_takes_turns_with_the_loop()
    {
        using var rig = DatagramRig.Started();
        rig.Protocol.InError = () => rig.SendNow("again");
        for (var i = 0; i < 5; i++) rig.Channel.Answer(IoError.ConnectionRefused);
        rig.Send("first");
        Assert.Equal(["TrySend(1)", "Error(ConnectionRefused)"], rig.Trace);
        rig.Pass(3);
        Assert.Equal(4, rig.Trace.Count(static line => line.StartsWith("Error", StringComparison.Ordinal)));
        rig.Pass(2);
        Assert.Equal(["again"], rig.Channel.Sent);
    }

    [Fact]
    public void A_protocol_that_answers_a_full_queue_with_more_fills_no_stack()
    {
        using var rig = DatagramRig.Started(new DatagramOptions { MaxWriteBufferSize = 160 });
        rig.Channel.Answer(IoError.WouldBlock);
        rig.Send(new string('x', 80));
        rig.Trace.Clear();
        rig.Protocol.InError = () => rig.SendNow(new string('y', 80));
        rig.Send("more than fits");
        Assert.Equal(["Error(WriteBufferLimitException)"], rig.Trace);
        rig.Pass(3);
        Assert.Equal(4, rig.Trace.Count);
        rig.Protocol.InError = null;
        rig.Channel.MakeRoom();
        rig.Pass(3);
        Assert.Equal([new string('x', 80)], rig.Channel.Sent);
    }

    [Fact, Case("BUG-077")]
    public void A_close_inside_an_error_still_sends_the_rest_and_nothing_else_is_called()
    {
        using var rig = DatagramRig.Started();
        rig.Protocol.InError = rig.Transport.Close;
        rig.Channel.Answer(IoError.ConnectionRefused, IoError.ConnectionRefused, IoError.None);
        rig.Send("a", "b", "c");
        rig.Channel.Receive("late");
        rig.Pass(2);
        Assert.Equal(["c"], rig.Channel.Sent);
        Assert.Equal(["TrySend(3)", "Error(ConnectionRefused)", "TrySend(2)", "TrySend(1)", "Lost(null)", "Close"], rig.Trace);
        Assert.Equal(0, rig.Loop.OpenChannels);
    }

    [Fact]
    public void An_abort_inside_an_error_offers_the_rest_once_and_drops_what_is_not_taken()
    {
        using var rig = DatagramRig.Started();
        rig.Protocol.InError = rig.Transport.Abort;
        rig.Channel.Answer(IoError.ConnectionRefused, IoError.None, IoError.ConnectionRefused, IoError.None, IoError.WouldBlock);
        rig.Send("a", "b", "c", "d", "e");
        Assert.Equal(["b", "d"], rig.Channel.Sent);
        Assert.Equal(0, rig.Transport.WriteBufferSize);
        rig.Pass(2);
        Assert.Equal(["Lost(null)", "Close"], rig.Trace[^2..]);
        Assert.Single(rig.Trace, static line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact, Case("BUG-070")]
    public void Pause_and_resume_count_eight_bytes_for_each_datagram()
    {
        using var rig = DatagramRig.Started();
        rig.Step(() => rig.Transport.SetWriteBufferLimits(high: 20, low: 8));
        rig.Channel.Answer(IoError.WouldBlock);
        rig.Send("", "");
        Assert.Equal(16, rig.Transport.WriteBufferSize);
        rig.Send("");
        Assert.Equal(["TrySend(2)", "Pause"], rig.Trace);
        Assert.Equal(24, rig.Transport.WriteBufferSize);
        rig.Channel.Answer(IoError.None, IoError.WouldBlock);
        rig.Channel.MakeRoom();
        rig.Pass();
        Assert.DoesNotContain("Resume", rig.Trace);
        rig.Channel.Answer(IoError.None, IoError.WouldBlock);
        rig.Channel.MakeRoom();
        rig.Pass();
        Assert.Equal("Resume", rig.Trace[^1]);
        rig.Channel.MakeRoom();
        rig.Pass();
        Assert.Equal(0, rig.Transport.WriteBufferSize);
        Assert.Single(rig.Trace, "Pause");
    }

    [Fact, Case("BUG-071")]
    public void Errors_alone_can_end_a_pause()
    {
        using var rig = DatagramRig.Started();
        rig.Step(() => rig.Transport.SetWriteBufferLimits(high: 0));
        rig.Channel.Answer(IoError.WouldBlock);
        rig.Send("a");
        Assert.Equal(["TrySend(1)", "Pause"], rig.Trace);
        rig.Channel.Answer(IoError.NoBufferSpace);
        rig.Channel.MakeRoom();
        rig.Pass();
        Assert.Equal(["TrySend(1)", "Error(NoBufferSpaceAvailable)", "Resume"], rig.Trace[^3..]);
    }

    [Fact]
    public void Nothing_but_the_loss_is_called_while_a_close_flushes()
    {
        using var rig = DatagramRig.Started();
        rig.Channel.Answer(IoError.WouldBlock);
        rig.Send("a", "b");
        rig.Step(rig.Transport.Close);
        rig.Channel.Receive("late");
        rig.Channel.Fail(IoError.ConnectionRefused);
        rig.Channel.Truncate();
        rig.Pass();
        rig.Send(new string('x', 70_000));
        rig.Channel.Answer(IoError.ConnectionRefused, IoError.None, IoError.None);
        rig.Channel.MakeRoom();
        rig.Pass(2);
        Assert.Equal(2, rig.Channel.Sent.Count);
        Assert.DoesNotContain(rig.Trace, static line => line.StartsWith("Error", StringComparison.Ordinal) || line is "Pause" or "Resume" || line.StartsWith("Datagram", StringComparison.Ordinal));
        Assert.Single(rig.Trace, "Lost(null)");
    }

    [Fact]
    public void What_callbacks_throw_goes_to_the_handler_and_the_endpoint_lives()
    {
        using var rig = DatagramRig.Started();
        var told = new List<string>();
        rig.Loop.Errors.Handler = context => told.Add(context.Message);
        rig.Protocol.InDatagram = rig.Protocol.InError = rig.Protocol.InPause = rig.Protocol.InResume = rig.Protocol.InLost = static () => throw new FormatException();
        rig.Step(() => rig.Transport.SetWriteBufferLimits(high: 0));
        rig.Channel.Receive("x", "y");
        rig.Pass();
        rig.Channel.Answer(IoError.ConnectionRefused, IoError.WouldBlock);
        rig.Send("a");
        rig.Send("b");
        rig.Channel.MakeRoom();
        rig.Pass();
        rig.Step(rig.Transport.Close);
        rig.Pass(2);
        Assert.Equal(
            ["DatagramReceived", "DatagramReceived", "ErrorReceived", "PauseWriting", "ResumeWriting", "ConnectionLost"],
            told.Select(static message => message["Exception in callback protocol.".Length..^2]));
        Assert.Equal(0, rig.Loop.OpenChannels);
    }

    [Fact]
    public void An_endpoint_that_is_given_up_before_its_start_calls_nobody()
    {
        using var rig = DatagramRig.Opening();
        rig.Transport.Abandon();
        rig.Pass(2);
        Assert.Equal(["Close"], rig.Trace);
        Assert.Empty(rig.Endpoints);
        Assert.Null(rig.Transport.Protocol);
        Assert.Equal(0, rig.Loop.OpenChannels);
    }

    [Fact]
    public void A_large_datagram_and_a_full_queue_are_offered_at_once()
    {
        using var rig = DatagramRig.Started();
        rig.Step(() =>
        {
            rig.SendNow("small");
            Assert.Empty(rig.Channel.Sent);
            rig.SendNow(new string('x', 4_096));
            Assert.Equal(2, rig.Channel.Sent.Count);
            for (var i = 0; i < 17; i++) rig.SendNow(new string('y', 4_000));
            Assert.Equal(2 + 17, rig.Channel.Sent.Count);
            rig.SendNow("later");
        });
        Assert.Equal("later", rig.Channel.Sent[^1]);
    }
}
