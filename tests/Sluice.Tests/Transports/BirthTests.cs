using Sluice.Tests.Doubles;
using Sluice.Transports;

namespace Sluice.Tests.Transports;

/// <summary>From the constructor to the first byte.</summary>
public sealed class BirthTests
{
    [Fact]
    [Case("TCP-001")]
    public void ConnectionMade_and_the_start_of_reading_are_turns_of_their_own()
    {
        using var rig = new StreamRig();
        Assert.Equal("", rig.Take());

        rig.Pass();
        Assert.Equal("ConnectionMade", rig.Take());

        rig.Pass();
        Assert.Equal("StartReading", rig.Take());
        Assert.Same(rig.Transport, rig.Callbacks.Transport);
    }

    [Fact]
    [Case("TCP-002", "TCP-003")]
    public void The_one_who_waits_hears_after_ConnectionMade_and_before_reading()
    {
        using var rig = new LoopRig();
        var callbacks = new Callbacks(rig.Trace);
        var channel = new ScriptedChannel(rig.Backend, rig.Trace);
        var waiter = new TracedWaiter(rig.Trace);
        var transport = new SocketTransport(
            rig.Loop, channel, new TracedProtocol(callbacks), new TransportOrigin(new ConnectionSet(), ConnectionOptions.Default, null, waiter));

        rig.Pass(2);

        Assert.Equal("ConnectionMade, OnStarted, StartReading", rig.Take());
        Assert.Same(transport, waiter.Started);
    }

    [Fact]
    [Case("TCP-004", "BUG-023")]
    public void Nothing_is_read_before_a_pause_in_ConnectionMade_is_undone()
    {
        using var rig = new StreamRig();
        rig.Callbacks.On("ConnectionMade", transport => transport.PauseReading());
        rig.Pass(3);
        Assert.Equal("ConnectionMade", rig.Take());
        Assert.False(rig.Transport.IsReading);

        rig.Step(rig.Transport.ResumeReading);
        rig.Pass();

        Assert.Equal("StartReading", rig.Take());
        Assert.True(rig.Transport.IsReading);
    }

    [Fact]
    public void Pausing_and_resuming_in_ConnectionMade_starts_reading_once()
    {
        using var rig = new StreamRig();
        rig.Callbacks.On("ConnectionMade", transport =>
        {
            transport.PauseReading();
            transport.ResumeReading();
        });

        rig.Pass(3);

        Assert.Equal("ConnectionMade, StartReading", rig.Take());
    }

    [Theory]
    [Case("TCP-068")]
    [InlineData(false, "ConnectionMade, ConnectionLost(null), Close")]
    [InlineData(true, "ConnectionMade, ConnectionLost(null), Close(reset)")]
    public void Ending_it_in_ConnectionMade_never_starts_reading(bool abort, string expected)
    {
        using var rig = new StreamRig();
        rig.Callbacks.On("ConnectionMade", transport =>
        {
            if (abort) transport.Abort();
            else transport.Close();
        });

        rig.Pass(3);

        Assert.Equal(expected, rig.Take());
    }

    [Fact]
    [Case("TCP-067")]
    public void A_ConnectionMade_that_throws_is_reported_and_the_transport_lives()
    {
        using var rig = new StreamRig();
        var failure = new FormatException();
        rig.Callbacks.On("ConnectionMade", _ => throw failure);

        rig.Pass(2);

        Assert.Equal("ConnectionMade, StartReading", rig.Take());
        Assert.Same(failure, Assert.Single(rig.Reports).Exception);
        rig.Step(rig.Transport.Close);
        rig.Pass();
        Assert.Equal("StopReading, ConnectionLost(null), Close", rig.Take());
    }

    [Theory]
    [InlineData(false, "Close")]
    [InlineData(true, "Close(reset)")]
    public void Ended_before_its_first_turn_it_goes_without_a_callback(bool abort, string expected)
    {
        using var rig = new StreamRig();
        if (abort) rig.Transport.Abort();
        else rig.Transport.Close();

        rig.Pass(3);

        Assert.Equal(expected, rig.Take());
        Assert.Null(rig.Transport.Protocol);
        Assert.Equal(0, rig.Connections.Count);
        Assert.Equal(0, rig.Loop.OpenChannels);
    }

    [Fact]
    public void Abandoning_works_only_before_ConnectionMade()
    {
        using var young = new StreamRig();
        young.Transport.Abandon(reset: true);
        young.Pass(3);
        Assert.Equal("Close(reset)", young.Take());

        using var old = StreamRig.Started();
        old.Transport.Abandon(reset: true);
        old.Pass(3);
        Assert.Equal("", old.Take());
    }

    [Fact]
    public void Bytes_written_in_ConnectionMade_leave_with_its_step()
    {
        using var rig = new StreamRig();
        rig.Callbacks.On("ConnectionMade", transport => transport.Write("hello"u8));

        rig.Pass();

        Assert.Equal("ConnectionMade, TryWrite(5)", rig.Take());
        Assert.Equal("hello", rig.Channel.Sent);
    }

    private sealed class TracedWaiter(List<string> trace) : IStartWaiter
    {
        public StreamTransport? Started { get; private set; }

        public void OnStarted(StreamTransport transport)
        {
            Started = transport;
            trace.Add("OnStarted");
        }

        public void OnFailed(Exception reason) => trace.Add("OnFailed");
    }
}
