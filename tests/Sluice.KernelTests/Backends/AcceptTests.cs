using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>Listeners: how much they accept, and what they survive.</summary>
public sealed class AcceptTests : IDisposable
{
    private readonly FaultySyscalls _system = new();
    private readonly ManualClock _clock = new();
    private readonly KernelBench _bench;

    public AcceptTests() => _bench = new KernelBench(_system, _clock);

    public void Dispose() => _bench.Dispose();

    [Fact, Case("BUG-042")]
    public void Sixteen_connections_are_accepted_per_poll()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        for (var i = 0; i < 20; i++) _bench.Dial(listener.LocalName);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Equal(16, sink.Accepted.Count);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Equal(20, sink.Accepted.Count);
    }

    [Fact]
    public void A_listener_that_is_closed_in_its_callback_accepts_no_more()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        sink.WhenAccepted = _ => listener.Close();
        for (var i = 0; i < 3; i++) _bench.Dial(listener.LocalName);
        _bench.PollIdle();
        Assert.Single(sink.Accepted);
    }

    [Fact]
    public void Nobody_can_connect_before_accepting_starts()
    {
        var listener = _bench.Backend.Listen(_bench.NewAddress(Family.IPv4), ServerOptions.Default, new RecordingListenSink());
        using var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        Assert.Throws<SocketException>(() => client.Connect(listener.LocalName));
    }

    [Fact, Case("BUG-036", "SRV-041")]
    public void Connections_lost_in_the_queue_do_not_end_the_round()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        foreach (var errno in new[] { 1, 64, 71, 92, 95, 100, 101, 103, 104, 110, 112, 113 }) _system.AcceptErrors.Enqueue(new IoError(errno));
        _bench.Dial(listener.LocalName);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Single(sink.Accepted);
        Assert.Empty(sink.Failures);
    }

    [Theory, Case("SRV-041")]
    [InlineData(4)]
    [InlineData(11)]
    public void An_accept_that_was_interrupted_or_would_block_ends_the_round_in_silence(int errno)
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        _system.AcceptErrors.Enqueue(new IoError(errno));
        _bench.Dial(listener.LocalName);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Empty(sink.Accepted);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Single(sink.Accepted);
        Assert.Empty(sink.Failures);
    }

    [Fact, Case("SRV-045")]
    public void Of_two_listeners_one_rests_or_closes_and_the_other_goes_on()
    {
        var (first, firstSink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var (second, secondSink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        _system.AcceptErrors.Enqueue(IoError.NoBufferSpace);
        _bench.Dial(first.LocalName);
        _bench.PollUntil(() => firstSink.Failures.Count == 1);
        _bench.Dial(second.LocalName);
        _bench.PollUntil(() => secondSink.Accepted.Count == 1);
        first.Close();
        _bench.Dial(second.LocalName);
        _bench.PollUntil(() => secondSink.Accepted.Count == 2);
        Assert.Empty(secondSink.Failures);
    }

    [Theory, Case("BUG-038", "SRV-043", "SRV-044")]
    [InlineData(24)]
    [InlineData(23)]
    [InlineData(105)]
    [InlineData(12)]
    [InlineData(22)]
    [InlineData(4000)]
    public void A_listener_out_of_resources_reports_once_rests_a_second_and_recovers(int errno)
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var failure = new IoError(errno);
        _system.AcceptError = failure;
        _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => sink.Failures.Count == 1);
        var accepts = _system.Accepts;
        _bench.PollIdle();
        Assert.Equal([failure], sink.Failures);
        Assert.Equal(accepts, _system.Accepts);

        _system.AcceptError = IoError.None;
        _clock.Advance(AcceptRules.Rest);
        _bench.PollUntil(() => sink.Accepted.Count == 1);
        Assert.Single(sink.Failures);
    }

    [Fact]
    public void A_poll_without_limit_ends_when_a_resting_listener_is_due()
    {
        using var bench = new KernelBench(_system);
        var (listener, sink) = bench.Listen(bench.NewAddress(Family.IPv4));
        _system.AcceptErrors.Enqueue(IoError.NoBufferSpace);
        bench.Dial(listener.LocalName);
        // A signal to the process, such as that of a child's end, may end any of them early.
        while (sink.Failures.Count == 0) bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        while (sink.Accepted.Count == 0) bench.Backend.Poll(Timeout.InfiniteTimeSpan);
        Assert.Single(sink.Failures);
        Assert.Single(sink.Accepted);
    }

    [Fact, Case("SRV-043")]
    public void Out_of_descriptors_one_waiting_peer_is_turned_away()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        _system.AcceptErrors.Enqueue(IoError.TooManyFiles);
        var peer = _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => sink.Failures.Count == 1);
        Assert.Equal(0, peer.Receive(new byte[1]));
        Assert.Empty(sink.Accepted);
    }

    [Fact, Case("SRV-043")]
    public void A_reserve_that_others_were_quicker_to_take_is_there_again_after_the_rest()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        _system.AcceptErrors.Enqueue(IoError.TooManyFiles);
        _system.DescriptorsLeft = 0;
        _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => sink.Failures.Count == 1);

        _system.DescriptorsLeft = int.MaxValue;
        _clock.Advance(AcceptRules.Rest);
        _system.AcceptErrors.Enqueue(IoError.TooManyFiles);
        var peer = _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => sink.Failures.Count == 2);
        Assert.Equal(0, peer.Receive(new byte[1]));
        Assert.Empty(sink.Accepted);
    }

    [Fact, Case("SRV-043")]
    public void The_last_descriptor_is_no_shortage_as_long_as_nobody_waits()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        sink.WhenAccepted = _ => _system.AcceptErrors.Enqueue(IoError.TooManyFiles);
        _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => sink.Accepted.Count == 1);
        _bench.PollIdle();
        Assert.Empty(sink.Failures);
        Assert.Empty(_system.AcceptErrors);

        sink.WhenAccepted = null;
        _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => sink.Accepted.Count == 2);
    }

    [Fact, Case("SRV-043")]
    public void A_listener_that_was_closed_at_rest_stays_closed()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        _system.AcceptErrors.Enqueue(IoError.OutOfMemory);
        _bench.Dial(listener.LocalName);
        _bench.PollUntil(() => sink.Failures.Count == 1);
        listener.Close();
        _clock.Advance(AcceptRules.Rest);
        _bench.PollIdle();
        Assert.Empty(sink.Accepted);
    }

    [Fact]
    public void A_users_duplicate_cannot_make_the_listener_wait()
    {
        var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        listener.Socket!.Duplicate().Dispose();
        using var duplicate = listener.Socket!.Duplicate();
        duplicate.Blocking = false;
        duplicate.Blocking = true;
        _bench.Dial(listener.LocalName);
        _bench.Backend.Poll(TimeSpan.FromSeconds(10));
        Assert.Single(sink.Accepted);
    }

    [Fact]
    public void Accepted_connections_have_the_listeners_no_delay()
    {
        foreach (var noDelay in new[] { true, false })
        {
            var (listener, sink) = _bench.Listen(_bench.NewAddress(Family.IPv4), new ServerOptions { NoDelay = noDelay });
            _bench.Dial(listener.LocalName);
            _bench.PollUntil(() => sink.Accepted.Count == 1);
            var option = sink.Accepted[0].Socket!.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.NoDelay);
            Assert.Equal(noDelay ? 1 : 0, option);
        }
    }

    [Fact]
    public void A_port_in_use_is_refused_and_nothing_stays_open()
    {
        var (listener, _) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        var closed = _system.Closed.Count;
        var exception = Assert.Throws<SocketException>(
            () => _bench.Backend.Listen(listener.LocalName, ServerOptions.Default, new RecordingListenSink()));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
        Assert.Equal(closed + 1, _system.Closed.Count);
    }

    [Fact]
    public void IPv4_and_IPv6_listen_on_one_port_side_by_side()
    {
        var (first, _) = _bench.Listen(new IPEndPoint(IPAddress.IPv6Any, 0));
        // An IPv4 address of its own: on every other, that port may be the end of somebody's connection.
        var (second, _) = _bench.Listen(new IPEndPoint(IPAddress.Parse("127.88.42.1"), ((IPEndPoint)first.LocalName).Port));
        Assert.Equal(((IPEndPoint)first.LocalName).Port, ((IPEndPoint)second.LocalName).Port);
    }
}
