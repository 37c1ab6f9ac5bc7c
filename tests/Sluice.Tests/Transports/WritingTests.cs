using System.Buffers;
using System.Text;
using Sluice.Primitives;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>When bytes leave, and that all of them do, once and in order.</summary>
public sealed class WritingTests
{
    private static readonly string Large = new('L', 4096);

    [Fact]
    [Case("TCP-022", "TCP-041")]
    public void Small_writes_of_one_step_leave_in_one_call_when_it_ends()
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.Write("OK"u8);
            rig.Transport.WriteLines(Parts("S", "P"));
            rig.Transport.Write("AM"u8);
            Assert.Equal("", rig.Take());
            Assert.Equal(6, rig.Transport.WriteBufferSize);
        });

        Assert.Equal("TryWrite(6)", rig.Take());
        Assert.Equal("OKSPAM", rig.Channel.Sent);
        Assert.Equal(0, rig.Transport.WriteBufferSize);
    }

    [Fact]
    public void A_large_write_leaves_at_once_behind_what_is_queued()
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.Write("head"u8);
            rig.Transport.Write(Bytes(Large));
            Assert.Equal("TryWrite(4100)", rig.Take());
            rig.Transport.Write(new byte[4095]);
            Assert.Equal("", rig.Take());
        });

        Assert.Equal("TryWrite(4095)", rig.Take());
        Assert.StartsWith("headL", rig.Channel.Sent, StringComparison.Ordinal);
    }

    [Fact]
    [Case("TCP-024", "TCP-025", "TCP-027", "TCP-028", "TCP-029", "BUG-002")]
    public void What_the_kernel_does_not_take_follows_in_order()
    {
        using var rig = StreamRig.Started();
        rig.Channel.Accept(2);
        rig.Write("data");
        Assert.Equal("TryWrite(4), StartWrite(2)", rig.Take());

        rig.Write("more");
        Assert.Equal("", rig.Take());
        Assert.Equal(6, rig.Transport.WriteBufferSize);

        rig.CompleteWrite(1);
        Assert.Equal("StartWrite(5)", rig.Take());
        rig.CompleteWrite();
        Assert.Equal("", rig.Take());
        Assert.Equal("datamore", rig.Channel.Sent);
    }

    [Fact]
    public void A_write_that_was_taken_whole_is_followed_by_what_came_meanwhile()
    {
        using var rig = StreamRig.Started();
        rig.Clog(2);
        rig.Write("more");

        rig.CompleteWrite();

        Assert.Equal("TryWrite(4)", rig.Take());
        Assert.Equal("..more", rig.Channel.Sent);
    }

    [Fact]
    [Case("TCP-023", "BUG-028")]
    public void The_caller_s_memory_is_free_after_the_call()
    {
        using var rig = StreamRig.Started();
        var small = Bytes("small");
        var large = Bytes(Large);
        rig.Channel.Accept(7);

        rig.Step(() =>
        {
            rig.Transport.Write(small);
            small.AsSpan().Fill(1);
            rig.Transport.Write(large);
            large.AsSpan().Fill(1);
        });
        rig.CompleteWrite();

        Assert.Equal("small" + Large, rig.Channel.Sent);
    }

    [Fact]
    [Case("TCP-026", "TCP-042", "BUG-022")]
    public void Empty_writes_do_nothing()
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.Write([]);
            rig.Transport.Write(ReadOnlySequence<byte>.Empty);
            rig.Transport.WriteLines([]);
            rig.Transport.WriteLines(Parts("", ""));
        });
        Assert.Equal("", rig.Take());

        rig.Step(() => rig.Transport.WriteLines(Parts("", "a", "", "b")));
        Assert.Equal("TryWrite(2)", rig.Take());
    }

    [Theory]
    [Case("TCP-039", "PROTO-013")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_write_in_parts_leaves_in_one_call(bool asSequence)
    {
        using var rig = StreamRig.Started();
        string[] parts = [new('a', 5000), "", new('b', 10), new('c', 5000)];

        rig.Step(() =>
        {
            if (asSequence) rig.Transport.Write(Sequence(parts));
            else rig.Transport.WriteLines(Parts(parts));
            Assert.Equal("TryWrite(10010)", rig.Take());
        });

        Assert.Equal(string.Concat(parts), rig.Channel.Sent);
    }

    [Theory]
    [Case("TCP-040", "BUG-002", "BUG-029", "BUG-030")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_write_in_five_thousand_parts_arrives_whole_whatever_the_kernel_takes(bool asSequence)
    {
        using var rig = StreamRig.Started();
        var random = new Random(5);
        var parts = Enumerable.Range(0, 5000).Select(i => new string((char)('a' + i % 26), random.Next(0, 60))).ToArray();
        rig.Channel.Accept(70_000, 11);

        rig.Step(() =>
        {
            if (asSequence) rig.Transport.Write(Sequence(parts));
            else rig.Transport.WriteLines(Parts(parts));
        });
        while (rig.Channel.HasWriteOutstanding)
        {
            rig.Channel.Accept(random.Next(0, 100));
            rig.CompleteWrite(random.Next(1, Math.Min(rig.Transport.WriteBufferSize, 20_000)));
        }

        Assert.Equal(string.Concat(parts), rig.Channel.Sent);
    }

    [Fact]
    public void A_list_that_throws_has_written_what_came_before()
    {
        using var rig = StreamRig.Started();

        rig.Step(() => Assert.Throws<FormatException>(() => rig.Transport.WriteLines(Failing())));

        Assert.Equal("begin", rig.Channel.Sent);

        static IEnumerable<ReadOnlyMemory<byte>> Failing()
        {
            yield return "begin"u8.ToArray();
            throw new FormatException();
        }
    }

    [Fact]
    [Case("TCP-033", "TCP-015")]
    public void A_write_that_fails_does_not_throw_and_loses_the_connection()
    {
        using var rig = StreamRig.Started();
        rig.Channel.RefuseWith(IoError.BrokenPipe);

        rig.Step(() => rig.Transport.Write(Bytes(Large)));
        rig.Pass();

        Assert.Equal("TryWrite(4096), StopReading, ConnectionLost(SocketException), Close", rig.Take());
        Assert.Empty(rig.Reports);
    }

    [Fact]
    [Case("TCP-034")]
    public void An_outstanding_write_that_fails_loses_the_connection()
    {
        using var rig = StreamRig.Started();
        rig.Clog(100);
        rig.Write("more");

        rig.CompleteWrite(error: IoError.ConnectionReset);
        rig.Pass();

        Assert.Equal("StopReading, ConnectionLost(SocketException), Close", rig.Take());
        Assert.Equal(0, rig.Transport.WriteBufferSize);
    }

    [Theory]
    [Case("TCP-035", "TCP-037", "TCP-043", "BUG-004")]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Writes_to_a_lost_connection_are_dropped_and_remarked_once_at_the_fifth(int kind)
    {
        using var rig = StreamRig.Started();
        rig.Step(rig.Transport.Abort);
        rig.Take();

        for (var i = 1; i <= 10; i++)
        {
            rig.Step(() => WriteOne(rig.Transport, kind));
            Assert.Equal(i < 5 ? 0 : 1, rig.Log.Entries.Count(entry => entry.StartsWith("Warning", StringComparison.Ordinal)));
        }

        Assert.DoesNotContain(rig.Trace, line => line.StartsWith("TryWrite", StringComparison.Ordinal));
    }

    [Fact]
    public void Bytes_written_while_the_loop_rests_leave_with_its_next_pass()
    {
        using var rig = StreamRig.Started();
        rig.Transport.Write("between runs"u8);

        using (rig.Loop.Enter()) rig.Loop.RunPass(TimeSpan.Zero);

        Assert.Equal("TryWrite(12)", rig.Take());
    }

    [Fact]
    public void Bytes_written_in_GetBuffer_leave_though_nothing_could_be_read()
    {
        using var rig = StreamRig.Started(bufferSize: 10);
        rig.Callbacks.On("GetBuffer", transport => transport.Write("ping"u8));
        rig.Channel.ReceiveNothing();

        rig.Pass();

        Assert.Equal("GetBuffer(-1), TryWrite(4)", rig.Take());
    }

    internal static ReadOnlyMemory<byte>[] Parts(params string[] parts) => [.. parts.Select(part => (ReadOnlyMemory<byte>)Bytes(part))];

    internal static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);

    internal static ReadOnlySequence<byte> Sequence(params string[] parts)
    {
        var first = new Part(Bytes(parts[0]), 0);
        var last = first;
        foreach (var part in parts.Skip(1)) last = last.Append(Bytes(part));
        return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
    }

    private static void WriteOne(ITransport transport, int kind)
    {
        if (kind == 0) transport.Write("x"u8);
        else if (kind == 1) transport.Write(Sequence("x", "y"));
        else if (kind == 2) transport.WriteLines(Parts("x"));
        else transport.Write(transport.GetMemory(1).Span[..1]);
    }

    private sealed class Part : ReadOnlySequenceSegment<byte>
    {
        public Part(byte[] bytes, long index) => (Memory, RunningIndex) = (bytes, index);

        public Part Append(byte[] bytes)
        {
            var next = new Part(bytes, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }
}
