using System.Runtime.CompilerServices;
using Microsoft.Win32.SafeHandles;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Peers;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Whose the descriptor of a pipe is: closed once, its mode given back, the standard streams left open.</summary>
public sealed class PipeOwnershipTests
{
    [Theory, Case("PIPE-012")]
    [InlineData("first")]
    [InlineData("second")]
    public void A_terminal_shared_with_others_is_blocking_again_afterwards(string closedFirst)
    {
        var (master, shell) = Descriptors.Terminal();
        using (master)
        using (shell)
        {
            PeerRun.OnLoop(async loop =>
            {
                var reading = new RecordingReadProtocol();
                var writing = new RecordingWriteProtocol();
                var (reader, _) = await loop.ConnectReadPipeAsync(() => reading, Descriptors.Duplicate(shell));
                var (writer, _) = await loop.ConnectWritePipeAsync(() => writing, Descriptors.Duplicate(shell));
                Assert.True(Descriptors.IsNonBlocking(shell));
                var (first, second) = closedFirst == "first" ? ((IBaseTransport)reader, (IBaseTransport)writer) : (writer, reader);
                first.Close();
                await (closedFirst == "first" ? reading.Record.Lost : writing.Record.Lost);
                await Task.Yield();
                Assert.True(Descriptors.IsNonBlocking(shell));
                second.Close();
                await (closedFirst == "first" ? writing.Record.Lost : reading.Record.Lost);
                await Task.Yield();
                Assert.False(Descriptors.IsNonBlocking(shell));
            });
        }
    }

    [Fact, Case("PIPE-001")]
    public void What_was_non_blocking_stays_so_and_what_was_blocking_is_again_when_the_loop_ends()
    {
        var (reader, writer) = Descriptors.Pipe();
        using var keptReader = Descriptors.Duplicate(reader);
        using var keptWriter = Descriptors.Duplicate(writer);
        Assert.True(Native.Syscalls.System.SetNonBlocking(Descriptors.Number(keptReader)).IsNone);
        PeerRun.OnLoop(async loop =>
        {
            await loop.ConnectReadPipeAsync(static () => new RecordingReadProtocol(), reader);
            await loop.ConnectWritePipeAsync(static () => new RecordingWriteProtocol(), writer);
            Assert.True(Descriptors.IsNonBlocking(keptWriter));
        });
        Assert.True(Descriptors.IsNonBlocking(keptReader));
        Assert.False(Descriptors.IsNonBlocking(keptWriter));
        Assert.True(reader.IsClosed && writer.IsClosed);
    }

    [Fact, Case("BUG-046")]
    public void A_pipe_is_closed_once_and_its_number_left_alone_then()
    {
        PeerRun.OnLoop(static async loop =>
        {
            var numbers = await LeaveGarbageAsync(loop);
            await Task.Yield();
            await Task.Yield();

            // Whoever gets the numbers now must keep them, whatever the collector finds.
            var strangers = Enumerable.Range(0, 200).Select(static _ => Descriptors.Open("/dev/null", Descriptors.ReadOnly)).ToArray();
            Assert.NotEmpty(numbers.Intersect(strangers.Select(static handle => Descriptors.Number(handle))));
            for (var i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.All(strangers, static stranger => Assert.True(Descriptors.IsOpen(Descriptors.Number(stranger))));
            foreach (var stranger in strangers) stranger.Dispose();
        });
    }

    [Fact, Case("BUG-046"), Case("PIPE-008")]
    public void Many_pipes_leave_no_descriptor_behind()
    {
        // A pipe is known by its inode: other tests open and close descriptors too.
        var pipes = new HashSet<string>();
        PeerRun.OnLoop(async loop =>
        {
            for (var i = 0; i < 200; i++)
            {
                var (reader, writer) = Descriptors.Pipe();
                pipes.Add(Descriptors.PathOf(reader));
                var reading = new RecordingReadProtocol();
                await loop.ConnectReadPipeAsync(() => reading, reader);
                var (transport, _) = await loop.ConnectWritePipeAsync(static () => new RecordingWriteProtocol(), writer);
                if (i % 2 == 0) transport.Write("x"u8);
                if (i % 3 == 0) transport.Abort();
                else transport.Close();
                await reading.Record.Lost;
            }
        });
        Assert.StartsWith("pipe:[", pipes.First(), StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.GetFiles("/proc/self/fd"), fd => new FileInfo(fd).LinkTarget is { } file && pipes.Contains(file));
    }

    [Fact]
    public void The_standard_streams_are_opened_under_numbers_of_their_own()
    {
        foreach (var (open, number) in ((Func<SafeFileHandle>, int)[])[(EventLoop.OpenStandardInput, 0), (EventLoop.OpenStandardOutput, 1), (EventLoop.OpenStandardError, 2)])
        {
            using var handle = open();
            Assert.True(Descriptors.Number(handle) > 2);
            handle.Dispose();
            Assert.True(Descriptors.IsOpen(number));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<List<int>> LeaveGarbageAsync(EventLoop loop)
    {
        var numbers = new List<int>();
        for (var i = 0; i < 20; i++)
        {
            var (reader, writer) = Descriptors.Pipe();
            numbers.Add(Descriptors.Number(reader));
            numbers.Add(Descriptors.Number(writer));
            var reading = new RecordingReadProtocol();
            await loop.ConnectReadPipeAsync(() => reading, new FileStream(reader, FileAccess.Read, 0));
            var (transport, _) = await loop.ConnectWritePipeAsync(static () => new RecordingWriteProtocol(), new FileStream(writer, FileAccess.Write, 0));
            transport.Close();
            await reading.Record.Lost;
        }

        return numbers;
    }
}
