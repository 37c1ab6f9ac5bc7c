using System.Buffers;
using Sluice.Primitives;
using Sluice.Tests.Doubles;

namespace Sluice.Tests.Transports;

/// <summary>A transport as an IBufferWriter: memory that is lent until the next call or the end of the step.</summary>
public sealed class BufferWriterTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(4097)]
    [InlineData(100_000)]
    public void Memory_is_as_large_as_asked_for_and_what_is_advanced_is_sent(int size)
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.Write("head "u8);
            var memory = rig.Transport.GetMemory(size);
            Assert.True(memory.Length >= Math.Max(1, size));
            "body"u8[..Math.Min(4, memory.Length)].CopyTo(memory.Span);
            rig.Transport.Advance(Math.Min(4, size));
            rig.Transport.Write(" tail"u8);
        });

        Assert.Equal("head " + "body"[..Math.Min(4, size)] + " tail", rig.Channel.Sent);
    }

    [Fact]
    public void A_large_advance_leaves_at_once()
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.GetSpan(4096)[..4096].Fill((byte)'x');
            rig.Transport.Advance(4096);
            Assert.Equal("TryWrite(4096)", rig.Take());
        });
    }

    [Theory]
    [InlineData("never asked")]
    [InlineData("advanced before")]
    [InlineData("wrote")]
    [InlineData("set limits")]
    [InlineData("paused")]
    [InlineData("next step")]
    public void Advance_throws_where_nothing_is_lent_any_more(string why)
    {
        using var rig = StreamRig.Started();
        rig.Step(() =>
        {
            if (why != "never asked") rig.Transport.GetMemory(10);
            if (why == "advanced before") rig.Transport.Advance(0);
            if (why == "wrote") rig.Transport.Write("x"u8);
            if (why == "set limits") rig.Transport.SetWriteBufferLimits();
            if (why == "paused") rig.Transport.PauseReading();
            if (why != "next step") Assert.Throws<InvalidOperationException>(() => rig.Transport.Advance(1));
        });

        Assert.Throws<InvalidOperationException>(() => rig.Transport.Advance(1));
        Assert.Equal(why == "wrote" ? "x" : "", rig.Channel.Sent);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4097)]
    public void Advance_refuses_what_was_not_lent(int count)
    {
        using var rig = StreamRig.Started();

        rig.Step(() =>
        {
            rig.Transport.GetMemory(1);
            Assert.Throws<ArgumentOutOfRangeException>(() => rig.Transport.Advance(count));
        });

        Assert.Throws<ArgumentOutOfRangeException>(() => rig.Transport.GetMemory(-1));
        Assert.Equal("", rig.Channel.Sent);
    }

    [Fact]
    public void Room_that_was_not_used_goes_back()
    {
        using var rig = StreamRig.Started();
        rig.Step(() => rig.Transport.GetMemory(1));
        Assert.Equal(1, rig.Loop.Segments.Free);

        rig.Step(() =>
        {
            rig.Transport.Write("some"u8);
            rig.Transport.GetMemory(4096);
        });
        Assert.Equal(2, rig.Loop.Segments.Free);
        Assert.Equal("some", rig.Channel.Sent);
    }

    [Fact]
    public void Room_is_lent_and_filled_behind_an_outstanding_write()
    {
        using var rig = StreamRig.Started();
        rig.Clog(3);

        rig.Step(() => rig.Transport.GetMemory(5000));
        rig.Step(() =>
        {
            "abc"u8.CopyTo(rig.Transport.GetSpan(3));
            rig.Transport.Advance(3);
        });
        rig.CompleteWrite();

        Assert.Equal("...abc", rig.Channel.Sent);
    }

    [Fact]
    public void Advancing_a_lost_connection_is_a_dropped_write()
    {
        using var rig = StreamRig.Started();
        rig.Step(rig.Transport.Abort);

        rig.Step(() =>
        {
            Assert.True(rig.Transport.GetMemory(5000).Length >= 5000);
            rig.Transport.Advance(5000);
        });

        Assert.Equal("", rig.Channel.Sent);
    }

    [Fact]
    public void Nothing_is_lent_after_WriteEof()
    {
        using var rig = StreamRig.Started();
        rig.Step(rig.Transport.WriteEof);

        rig.Step(() => Assert.Throws<InvalidOperationException>(() => rig.Transport.GetMemory()));
    }

    [Fact]
    public void The_exception_handler_cannot_advance_over_memory_that_went_back()
    {
        using var rig = StreamRig.Started();
        rig.Callbacks.On("DataReceived", transport =>
        {
            transport.GetMemory(10);
            throw new FormatException();
        });
        rig.Loop.Errors.Handler = context =>
        {
            Assert.Throws<InvalidOperationException>(() => rig.Transport.Advance(5));
            rig.Reports.Add(context);
        };

        rig.Receive("x");

        Assert.IsType<FormatException>(Assert.Single(rig.Reports).Exception);
    }

    [Fact]
    public void The_extension_method_of_dotnet_writes_any_length()
    {
        using var rig = StreamRig.Started();
        var bytes = new byte[50_000];
        new Random(1).NextBytes(bytes);

        rig.Step(() => BuffersExtensions.Write(rig.Transport, bytes));

        Assert.Equal(bytes, rig.Channel.Sent.Select(c => (byte)c));
        Assert.True(rig.Loop.Segments.Free <= SegmentPool.MaxFree);
    }
}
