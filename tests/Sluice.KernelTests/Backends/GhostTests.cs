using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Native;

namespace Sluice.KernelTests.Backends;

/// <summary>
/// Connections whose open file outlives their descriptor: copies that the channel does not know of, as a child process has them between fork
/// and exec. Counts wake-ups, hence alone.
/// </summary>
[Collection(nameof(CostTests))]
public sealed class GhostTests : IDisposable
{
    private readonly FaultySyscalls _system = new();
    private readonly ManualClock _clock = new();
    private readonly KernelBench _bench;

    public GhostTests() => _bench = new KernelBench(_system, _clock);

    public void Dispose() => _bench.Dispose();

    [Theory]
    [EachFamily]
    public void A_closed_connection_that_a_copy_keeps_alive_harms_nobody_and_soon_lets_the_loop_sleep(Family family)
    {
        var (bystander, heard, friend) = _bench.Connect(family);
        bystander.StartReading();
        using var copy = LeaveGhost(family);

        // It reports to nobody, and cannot be taken out of the set any more.
        var controls = _system.EpollControls;
        Assert.Equal(1, EventsOfAnIdleWait());
        Assert.Equal(controls, _system.EpollControls);
        Talk();

        _clock.Advance(GhostEvents.Patience);
        _bench.PollIdle();
        Assert.Equal(0, EventsOfAnIdleWait());
        Talk();
        Assert.Empty(heard.Ends);

        void Talk()
        {
            var reads = heard.Reads;
            friend.Send("x"u8);
            _bench.PollUntil(() => heard.Reads == reads + 1);
        }
    }

    [Fact]
    public void Waking_works_after_the_set_was_made_anew()
    {
        using var copy = LeaveGhost(Family.IPv4);
        OutlastPatience();
        Assert.Equal(0, EventsOfAnIdleWait());
        _bench.Backend.Wake();
        Assert.Equal(1, EventsOfAnIdleWait());
    }

    [Fact]
    public void Listeners_and_connects_move_to_the_new_set()
    {
        var (listener, accepted) = _bench.Listen(_bench.NewAddress(Family.IPv4));
        using var copy = LeaveGhost(Family.IPv4);
        OutlastPatience();
        var connected = new RecordingConnectSink();
        _bench.Backend.Connect(null, listener.LocalName, ConnectionOptions.Default, connected);
        _bench.PollUntil(() => connected.Channel is not null && accepted.Accepted.Count == 1);
    }

    [Fact]
    public void A_system_without_room_for_a_second_set_goes_on_with_the_first()
    {
        var (channel, heard, peer) = _bench.Connect(Family.IPv4);
        channel.StartReading();
        using var copy = LeaveGhost(Family.IPv4);
        _system.DescriptorsLeft = 0;
        OutlastPatience();
        peer.Send("x"u8);
        _bench.PollUntil(() => heard.Reads == 1);

        _system.DescriptorsLeft = int.MaxValue;
        OutlastPatience();
        Assert.Equal(0, EventsOfAnIdleWait());
    }

    [Fact]
    public void A_set_that_a_member_cannot_join_is_given_up()
    {
        var (channel, heard, peer) = _bench.Connect(Family.IPv4);
        channel.StartReading();
        using var copy = LeaveGhost(Family.IPv4);
        var before = Bytes.SettledDescriptors();
        _system.EpollAddError = Primitives.IoError.NoBufferSpace;
        OutlastPatience();
        _system.EpollAddError = default;
        Assert.Equal(before, Bytes.OpenDescriptors());
        peer.Send("x"u8);
        _bench.PollUntil(() => heard.Reads == 1);
    }

    /// <summary>A closed connection at its peer's end, and the copy that keeps its file open.</summary>
    private SafeFd LeaveGhost(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        channel.StartReading();
        peer.Shutdown(System.Net.Sockets.SocketShutdown.Send);
        var copy = new SafeFd(_system, _system.Duplicate((int)channel.Handle, out _));
        _bench.PollUntil(() => sink.Ends.Count == 1);
        channel.Close(reset: false);
        _bench.PollUntil(() => sink.Closes == 1);
        return copy;
    }

    private void OutlastPatience()
    {
        _bench.PollIdle();
        _clock.Advance(GhostEvents.Patience);
        _bench.PollIdle();
    }

    /// <summary>How many events end a wait that nobody needs: where there is one each time, the loop cannot sleep.</summary>
    private int EventsOfAnIdleWait()
    {
        _bench.Backend.Poll(TimeSpan.FromMilliseconds(1));
        return _system.LastEvents;
    }
}
