using System.Diagnostics;
using System.IO.Pipes;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Faults;
using Sluice.KernelTests.Peers;
using Sluice.Primitives;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Pipe transports over what only a real system has: FIFOs, terminals, devices, streams of .NET, other programs.</summary>
public sealed class PipeTransportTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact, Case("PIPE-002")]
    public void A_regular_file_is_refused_and_left_as_it_was()
    {
        using var file = new FileStream(PathOf("file"), FileMode.Create, FileAccess.ReadWrite);
        var handle = file.SafeFileHandle;
        PeerRun.OnLoop(loop =>
        {
            var refusal = Refused(() => _ = loop.ConnectReadPipeAsync(static () => new RecordingReadProtocol(), file));
            Assert.Contains("regular file", refusal.Message, StringComparison.Ordinal);
            Refused(() => _ = loop.ConnectWritePipeAsync(static () => new RecordingWriteProtocol(), file));
            Refused(() => _ = loop.ConnectReadPipeAsync(static () => new RecordingReadProtocol(), handle));
            return Task.CompletedTask;
        });

        Assert.False(handle.IsClosed);
        Assert.False(Descriptors.IsNonBlocking(handle));
        file.WriteByte(1);
    }

    [Fact, Case("PIPE-001"), Case("PIPE-010"), Case("PIPE-026")]
    public void Two_programs_talk_over_FIFOs()
    {
        var (there, back) = (PathOf("there"), PathOf("back"));
        Descriptors.MakeFifo(there);
        Descriptors.MakeFifo(back);
        using var cat = Process.Start(new ProcessStartInfo("sh", ["-c", "exec cat <\"$0\" >\"$1\"", there, back]))!;
        PeerRun.OnLoop(async loop =>
        {
            var writing = new RecordingWriteProtocol();
            var reading = new RecordingReadProtocol();
            var (writer, _) = await loop.ConnectWritePipeAsync(() => writing, Descriptors.Open(there, Descriptors.WriteOnly));
            await loop.ConnectReadPipeAsync(() => reading, new FileStream(Descriptors.Open(back, Descriptors.ReadOnly), FileAccess.Read, 0));
            writer.Write(Bytes.Pattern(300_000));
            await reading.Record.WaitForBytesAsync(300_000);
            writer.WriteEof();
            Assert.Null(await writing.Record.Lost);
            Assert.Null(await reading.Record.Lost);
            Assert.Equal(Bytes.Pattern(300_000), reading.Record.Received.ToArray());
            Assert.Equal(["ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)"], reading.Record.Shape);
        });
        cat.WaitForExit();
        Assert.Equal(0, cat.ExitCode);
    }

    [Fact, Case("BUG-016"), Case("PIPE-024"), Case("PIPE-019")]
    public void A_mebibyte_reaches_a_slow_reader_after_the_close()
    {
        var (reader, writer) = Descriptors.Pipe();
        using var gate = new SemaphoreSlim(0);
        byte[] received = [];
        var slow = new Thread(() =>
        {
            gate.Wait();
            received = Descriptors.ReadAll(reader);
        });
        slow.Start();
        PeerRun.OnLoop(async loop =>
        {
            var writing = new RecordingWriteProtocol();
            var (transport, _) = await loop.ConnectWritePipeAsync(() => writing, writer);
            transport.Write(Bytes.Pattern(1 << 20));
            Assert.True(transport.WriteBufferSize > 0);
            transport.Close();
            gate.Release();
            Assert.Null(await writing.Record.Lost);
        });
        slow.Join();
        reader.Dispose();
        Assert.Equal(Bytes.Pattern(1 << 20), received);
    }

    [Fact, Case("PIPE-011")]
    public void A_terminal_whose_other_end_closes_is_hung_up()
    {
        var (master, slave) = Descriptors.Terminal();
        PeerRun.OnLoop(async loop =>
        {
            var reading = new RecordingReadProtocol();
            loop.ExceptionHandler = (_, report) => Assert.Fail(report.ToString());
            await loop.ConnectReadPipeAsync(() => reading, master);
            Descriptors.Write(slave, "1"u8);
            await reading.Record.WaitForBytesAsync(1);
            Descriptors.Write(slave, "2345"u8);
            await reading.Record.WaitForBytesAsync(5);
            slave.Dispose();
            var reason = Assert.IsType<SocketException>(await reading.Record.Lost);
            Assert.Contains("nput/output error", reason.Message, StringComparison.Ordinal);
            Assert.Equal("12345"u8.ToArray(), reading.Record.Received.ToArray());
        });
        Assert.True(master.IsClosed);
    }

    [Fact, Case("PIPE-027"), Case("PIPE-028"), Case("PIPE-012")]
    public void Both_directions_of_one_terminal_work_side_by_side()
    {
        var (master, slave) = Descriptors.Terminal();
        var second = Descriptors.Duplicate(slave);
        using (master)
        {
            PeerRun.OnLoop(async loop =>
            {
                var reading = new RecordingReadProtocol();
                var writing = new RecordingWriteProtocol();
                var (reader, _) = await loop.ConnectReadPipeAsync(() => reading, slave);
                var (writer, _) = await loop.ConnectWritePipeAsync(() => writing, second);
                for (var i = 1; i <= 3; i++)
                {
                    Descriptors.Write(master, "in"u8);
                    await reading.Record.WaitForBytesAsync(2 * i);
                    Assert.False(writer.IsClosing);
                    writer.Write("out"u8);
                    await Task.Yield();
                    Assert.Equal("out"u8.ToArray(), Descriptors.Read(master));
                }

                // The one that closes first must not make the other's terminal blocking.
                reader.Close();
                await reading.Record.Lost;
                await Task.Yield();
                Assert.True(Descriptors.IsNonBlocking(second));
                writer.Close();
                Assert.Null(await writing.Record.Lost);
            });
        }
    }

    [Fact, Case("PIPE-012")]
    public void Devices_that_are_always_ready_take_and_give()
    {
        PeerRun.OnLoop(static async loop =>
        {
            var reading = new RecordingReadProtocol();
            var writing = new RecordingWriteProtocol();
            await loop.ConnectReadPipeAsync(() => reading, Descriptors.Open("/dev/null", Descriptors.ReadOnly));
            Assert.Null(await reading.Record.Lost);
            Assert.Equal(["ConnectionMade", "EofReceived", "ConnectionLost(null)"], reading.Record.Trace);

            var (sink, _) = await loop.ConnectWritePipeAsync(() => writing, Descriptors.Open("/dev/null", Descriptors.WriteOnly));
            sink.Write(new byte[1_000_000]);
            sink.Write("little"u8);
            sink.Close();
            Assert.Null(await writing.Record.Lost);
            Assert.Equal(["ConnectionMade", "ConnectionLost(null)"], writing.Record.Trace);

            var zeros = new RecordingReadProtocol();
            zeros.OnData = _ => zeros.Transport.Close();
            await loop.ConnectReadPipeAsync(() => zeros, Descriptors.Open("/dev/zero", Descriptors.ReadOnly));
            Assert.Null(await zeros.Record.Lost);
            Assert.Equal(256 * 1024, zeros.Record.Received.Length);
        });
    }

    [Fact, Case("PIPE-002")]
    public void Streams_and_sockets_of_NET_are_taken_over()
    {
        PeerRun.OnLoop(static async loop =>
        {
            var server = new AnonymousPipeServerStream(PipeDirection.Out);
            var client = new AnonymousPipeClientStream(PipeDirection.In, server.ClientSafePipeHandle);
            await ExchangeAsync(loop, protocol => loop.ConnectReadPipeAsync(protocol, client), protocol => loop.ConnectWritePipeAsync(protocol, server), server);

            var (near, far) = SocketPair.Create();
            await ExchangeAsync(loop, protocol => loop.ConnectReadPipeAsync(protocol, near), protocol => loop.ConnectWritePipeAsync(protocol, far), far);

            (near, far) = SocketPair.Create();
            var stream = new NetworkStream(far, ownsSocket: true);
            await ExchangeAsync(loop, protocol => loop.ConnectReadPipeAsync(protocol, near), protocol => loop.ConnectWritePipeAsync(protocol, stream), stream);

            var name = Guid.NewGuid().ToString("N");
            var namedServer = new NamedPipeServerStream(name, PipeDirection.Out);
            var namedClient = new NamedPipeClientStream(".", name, PipeDirection.In);
            var waiting = namedServer.WaitForConnectionAsync();
            await namedClient.ConnectAsync();
            await waiting;
            await ExchangeAsync(loop, protocol => loop.ConnectReadPipeAsync(protocol, namedClient), protocol => loop.ConnectWritePipeAsync(protocol, namedServer), namedServer);
        });

        static async Task ExchangeAsync(
            EventLoop loop,
            Func<Func<RecordingReadProtocol>, Task<(IReadTransport, RecordingReadProtocol)>> read,
            Func<Func<RecordingWriteProtocol>, Task<(IWriteTransport, RecordingWriteProtocol)>> write,
            object pipe)
        {
            var (_, reading) = await read(static () => new RecordingReadProtocol());
            var (writer, writing) = await write(static () => new RecordingWriteProtocol());
            Assert.Same(pipe, writer.GetExtraInfo(ExtraInfo.Pipe));
            writer.Write("hello"u8);
            writer.Close();
            Assert.Null(await reading.Record.Lost);
            Assert.Equal("hello"u8.ToArray(), reading.Record.Received.ToArray());
            await writing.Record.Lost;
        }
    }

    [Fact, Case("BUG-018"), Case("BUG-015")]
    public void A_dead_reader_or_writer_leaves_the_loop_asleep()
    {
        PeerRun.OnLoop(static async loop =>
        {
            var (reader, writer) = Descriptors.Pipe();
            var reading = new RecordingReadProtocol { OnMade = static transport => transport.PauseReading() };
            await loop.ConnectReadPipeAsync(() => reading, reader);
            Descriptors.Write(writer, "unread"u8);
            writer.Dispose();
            var (near, far) = SocketPair.Create();
            var writing = new RecordingWriteProtocol();
            await loop.ConnectWritePipeAsync(() => writing, near);
            far.Send("unread"u8);
            far.Shutdown(SocketShutdown.Send);
            for (var i = 0; i < 20; i++) await Task.Yield();

            var before = loop.Core.Backend.Wakeups;
            await Task.Delay(TimeSpan.FromMilliseconds(200), loop.TimeProvider);
            var wakeups = loop.Core.Backend.Wakeups - before;
            Assert.True(wakeups <= 5, $"{wakeups} wake-ups in 200 ms");
            far.Dispose();
        });
    }

    [Theory, Case("PIPE-005")]
    [InlineData(5, false)] // EIO
    [InlineData(22, true)] // EINVAL
    public void A_failed_read_is_reported_unless_a_terminal_has_hung_up(int errno, bool isReported)
    {
        var (reader, writer) = Descriptors.Pipe();
        using (writer)
        {
            var reports = new List<ExceptionContext>();
            var reading = new RecordingReadProtocol();
            using var loop = new EventLoop(new EpollBackend(new FailingSyscalls("read", 1, new IoError(errno)), new FastClock()), new EventLoopOptions());
            loop.ExceptionHandler = (_, report) => reports.Add(report);
            loop.RunUntilComplete(async () =>
            {
                await loop.ConnectReadPipeAsync(() => reading, reader);
                Descriptors.Write(writer, "x"u8);
                Assert.IsType<SocketException>(await reading.Record.Lost.WaitAsync(Patience));
            });
            Assert.Equal(isReported ? ["Fatal read error on pipe transport"] : [], reports.Select(static report => report.Message));
            Assert.Equal(2, reading.Record.Trace.Count);
        }
    }

    [Fact]
    public async Task A_call_from_another_thread_hops_to_the_loop()
    {
        var (reader, writer) = Descriptors.Pipe();
        using var loop = EventLoop.Start();
        var reading = new RecordingReadProtocol();
        await loop.ConnectReadPipeAsync(() => reading, (SafeHandle)reader).WaitAsync(Patience);
        Descriptors.Write(writer, "x"u8);
        writer.Dispose();
        await reading.Record.Lost.WaitAsync(Patience);
        Assert.Equal(1, reading.Record.Received.Length);
    }

    private static ArgumentException Refused(Action call) => Assert.Throws<ArgumentException>(call);

    private string PathOf(string name) => Path.Combine(_folder.FullName, name);
}
