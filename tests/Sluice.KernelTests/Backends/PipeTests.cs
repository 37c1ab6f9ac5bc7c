using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>The channels of pipes: bytes, ends, hang-ups, and how often they wake the loop.</summary>
public sealed class PipeTests : IDisposable
{
    private readonly KernelBench _bench = new();
    private readonly SafeFileHandle _reader;
    private readonly SafeFileHandle _writer;

    public PipeTests() => (_reader, _writer) = Descriptors.Pipe();

    public void Dispose()
    {
        _bench.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }

    [Fact]
    public void Bytes_arrive_and_leave_unchanged()
    {
        var (source, sink) = Open(_reader, PipeEnd.Read);
        var (target, _) = Open(_writer, PipeEnd.Write);
        source.StartReading();

        Assert.Equal(4, target.TryWrite(default, "ping"u8, out var error));
        Assert.True(error.IsNone);
        _bench.PollUntil(() => sink.Received.Length == 4);
        Assert.Equal("ping"u8.ToArray(), sink.Received);
    }

    [Fact, Case("BUG-017")]
    public void What_was_written_before_a_hang_up_comes_before_the_end()
    {
        var (source, sink) = Open(_reader, PipeEnd.Read);
        Descriptors.Write(_writer, Bytes.Pattern(50_000));
        _writer.Dispose();

        source.StartReading();
        _bench.PollUntil(() => sink.Ends.Count == 1);

        Assert.Equal(Bytes.Pattern(50_000), sink.Received);
        Assert.True(sink.Ends[0].IsNone);
        _bench.PollIdle();
        Assert.Single(sink.Ends);
    }

    [Fact, Case("BUG-018")]
    public void A_hang_up_that_nobody_reads_wakes_the_loop_no_more_than_once()
    {
        var (source, sink) = Open(_reader, PipeEnd.Read);
        source.StartReading();
        _bench.PollIdle();
        source.StopReading();
        Descriptors.Write(_writer, "unread"u8);
        _writer.Dispose();

        var reported = 0;
        for (var i = 0; i < 10; i++) reported += _bench.Backend.Poll(TimeSpan.FromMilliseconds(1)) ? 1 : 0;
        Assert.True(reported <= 1, $"{reported} wake-ups");
        Assert.Empty(sink.Ends);

        source.StartReading();
        _bench.PollUntil(() => sink.Ends.Count == 1);
        Assert.Equal("unread"u8.ToArray(), sink.Received);
    }

    [Fact, Case("BUG-015")]
    public void A_writing_end_reports_that_its_reader_has_gone_and_is_silent_then()
    {
        var (target, sink) = Open(_writer, PipeEnd.Write);
        target.StartReading();
        _bench.PollIdle();
        Assert.Empty(sink.Ends);

        _reader.Dispose();
        _bench.PollUntil(() => sink.Ends.Count == 1);
        Assert.True(sink.Ends[0].IsNone);
        var reported = 0;
        for (var i = 0; i < 10; i++) reported += _bench.Backend.Poll(TimeSpan.FromMilliseconds(1)) ? 1 : 0;
        Assert.True(reported <= 1, $"{reported} wake-ups");
    }

    [Fact]
    public void A_write_without_a_reader_fails_with_a_broken_pipe_and_no_signal()
    {
        // .NET ignores SIGPIPE in the whole process: were it not so, this test would end the program.
        var (target, _) = Open(_writer, PipeEnd.Write);
        _reader.Dispose();

        Assert.Equal(0, target.TryWrite(default, "lost"u8, out var error));
        Assert.Equal(IoError.BrokenPipe, error);
    }

    [Fact]
    public void A_peer_that_only_ends_its_own_sending_is_still_a_reader()
    {
        var (near, far) = SocketPair.Create();
        using (far)
        {
            var (target, sink) = Open(near.SafeHandle, PipeEnd.Write);
            target.StartReading();
            far.Send("noise"u8);
            far.Shutdown(SocketShutdown.Send);
            _bench.PollIdle();
            Assert.Empty(sink.Ends);

            Assert.Equal(4, target.TryWrite(default, "news"u8, out _));
            Assert.Equal("news"u8.ToArray(), Bytes.ReceiveExactly(far, 4));
            far.Dispose();
            _bench.PollUntil(() => sink.Ends.Count == 1);
        }
    }

    [Theory]
    [InlineData("/dev/null", 0)]
    [InlineData("/dev/zero", IoBackend.ReadBufferSize)]
    public void A_device_that_epoll_refuses_is_read_all_the_same(string path, int expected)
    {
        var (source, sink) = Open(Descriptors.Open(path, Descriptors.ReadOnly), PipeEnd.Read);
        source.StartReading();
        _bench.PollUntil(() => expected == 0 ? sink.Ends.Count == 1 : sink.Received.Length >= expected);

        source.StopReading();
        var received = sink.Received.Length;
        _bench.PollIdle();
        Assert.Equal(received, sink.Received.Length);
        source.Close(reset: false);
        _bench.PollUntil(() => sink.Closes == 1);
    }

    [Fact]
    public void A_device_that_epoll_refuses_takes_a_write_that_waits()
    {
        var (target, sink) = Open(Descriptors.Open("/dev/null", Descriptors.WriteOnly), PipeEnd.Write);
        target.StartReading();
        target.StartWrite(Bytes.Chain(Bytes.Pattern(10_000), 4096));
        _bench.PollUntil(() => sink.Writes.Count == 1);

        Assert.Equal((10_000, IoError.None), sink.Writes[0]);
        Assert.Empty(sink.Ends);
    }

    private (StreamChannel Channel, RecordingStreamSink Sink) Open(SafeHandle handle, PipeEnd end)
    {
        var channel = _bench.Backend.OpenPipe(handle, end);
        var sink = new RecordingStreamSink();
        channel.Attach(sink);
        return (channel, sink);
    }
}
