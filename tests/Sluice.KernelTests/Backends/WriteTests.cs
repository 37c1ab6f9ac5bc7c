using System.Net.Sockets;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>Writes: gathered, partial, blocked.</summary>
public sealed class WriteTests : IDisposable
{
    private readonly FaultySyscalls _system = new();
    private readonly KernelBench _bench;

    public WriteTests() => _bench = new KernelBench(_system);

    public void Dispose() => _bench.Dispose();

    // More parts than one call may have (1,024).
    [Theory, Case("BUG-030")]
    [EachFamily]
    public void Five_thousand_segments_and_the_extra_bytes_arrive_in_order(Family family)
    {
        var (channel, _, peer) = _bench.Connect(family);
        var bytes = Bytes.Pattern(15_003);
        Assert.Equal(bytes.Length, channel.TryWrite(Bytes.Chain(bytes[..15_000], 3), bytes.AsSpan(15_000), out var error));
        Assert.True(error.IsNone);
        Assert.Equal(5, _system.Sends);
        Assert.Equal(bytes, Bytes.ReceiveExactly(peer, bytes.Length));
    }

    [Fact]
    public void Extra_bytes_behind_exactly_1024_segments_arrive()
    {
        var (channel, _, peer) = _bench.Connect(Family.IPv4);
        var bytes = Bytes.Pattern(1030);
        Assert.Equal(bytes.Length, channel.TryWrite(Bytes.Chain(bytes[..1024], 1), bytes.AsSpan(1024), out _));
        Assert.Equal(bytes, Bytes.ReceiveExactly(peer, bytes.Length));
    }

    [Fact]
    public void A_slice_shorter_than_its_chain_sends_only_itself()
    {
        var (channel, _, peer) = _bench.Connect(Family.IPv4);
        var chain = Bytes.Chain("abcdef"u8.ToArray(), 4);
        Assert.Equal(5, channel.TryWrite(new WriteSlice(chain.Head, 5), default, out _));
        Assert.Equal(3, channel.TryWrite(new WriteSlice(chain.Head, 3), default, out _));
        Assert.Equal("abcdeabc"u8.ToArray(), Bytes.ReceiveExactly(peer, 8));
    }

    [Fact]
    public void Nothing_to_write_is_no_system_call()
    {
        var (channel, _, _) = _bench.Connect(Family.IPv4);
        Assert.Equal(0, channel.TryWrite(default, default, out var error));
        Assert.True(error.IsNone);
        Assert.Equal(0, _system.Sends);
    }

    [Fact, Case("BUG-002")]
    public void A_kernel_that_takes_one_byte_is_asked_once()
    {
        var (channel, sink, peer) = _bench.Connect(Family.IPv4);
        _system.MaxSend = 1;
        Assert.Equal(1, channel.TryWrite(Bytes.Chain("abc"u8.ToArray(), 2), "de"u8, out var error));
        Assert.True(error.IsNone);
        Assert.Equal(1, _system.Sends);

        channel.StartWrite(Bytes.Chain("bc"u8.ToArray(), 2));
        _bench.PollUntil(() => sink.Writes.Count == 1);
        Assert.Equal((1, IoError.None), sink.Writes[0]);
        Assert.Equal("ab"u8.ToArray(), Bytes.ReceiveExactly(peer, 2));
        _bench.PollIdle();
        Assert.Single(sink.Writes);
    }

    [Theory]
    [EachFamily]
    public void A_blocked_write_goes_on_when_the_peer_reads(Family family)
    {
        var (channel, sink, peer) = _bench.Connect(family);
        var flood = Bytes.Pattern(256 * 1024);
        var sent = 0;
        int taken;
        while ((taken = channel.TryWrite(default, flood, out var error)) > 0)
        {
            Assert.True(error.IsNone);
            sent += taken;
        }

        channel.StartWrite(Bytes.Chain("end"u8.ToArray(), 1));
        Assert.Empty(sink.Writes);
        _bench.PollIdle();
        Assert.Empty(sink.Writes);
        Bytes.ReceiveExactly(peer, sent);
        _bench.PollUntil(() => sink.Writes.Count == 1);
        Assert.Equal((3, IoError.None), sink.Writes[0]);
        Assert.Equal("end"u8.ToArray(), Bytes.ReceiveExactly(peer, 3));
        var controls = _system.EpollControls;
        _bench.PollIdle();
        Assert.Equal(controls, _system.EpollControls);
        Assert.Single(sink.Writes);
    }

    [Theory]
    [EachFamily]
    public void A_write_to_a_peer_that_is_gone_fails(Family family)
    {
        var (channel, _, peer) = _bench.Connect(family);
        peer.LingerState = new LingerOption(true, 0);
        peer.Close();
        _bench.PollIdle();
        Assert.Equal(0, channel.TryWrite(default, "x"u8, out var error));
        Assert.Contains(error, new[] { IoError.ConnectionReset, IoError.BrokenPipe });
    }
}
