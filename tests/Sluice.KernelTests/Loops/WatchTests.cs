using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Loops;

/// <summary>AddReader, AddWriter and their removal, over real descriptors.</summary>
public sealed class WatchTests
{
    [Fact, Case("LOOP-051")]
    public void A_reader_is_called_in_each_pass_while_there_is_something_to_read() => OnPair(async (loop, watched, peer) =>
    {
        var passes = new List<long>();
        var third = loop.CreateFuture();
        loop.AddReader(watched, () =>
        {
            passes.Add(loop.Core.Passes);
            if (passes.Count == 3) watched.Receive(new byte[16]);
            if (passes.Count == 3) third.SetResult();
        });
        await Task.Yield();
        Assert.Empty(passes);
        peer.Send("data"u8);

        await third.Task;
        await Task.Delay(TimeSpan.FromMilliseconds(5), loop.TimeProvider);
        Assert.Equal(3, passes.Count);
        Assert.Equal([1, 1], passes.Zip(passes.Skip(1), static (a, b) => b - a));
        Assert.True(loop.RemoveReader(watched));
        Assert.False(loop.RemoveReader(watched));
        peer.Send("more"u8);
        await Task.Delay(TimeSpan.FromMilliseconds(5), loop.TimeProvider);
        Assert.Equal(3, passes.Count);
    });

    [Fact, Case("LOOP-052")]
    public void A_writer_is_called_while_there_is_room() => OnPair(async (loop, watched, _) =>
    {
        var called = loop.CreateFuture();
        loop.AddWriter(watched, () => called.TrySetResult());

        await called.Task;
        Assert.True(loop.RemoveWriter(watched));
        Assert.False(loop.RemoveWriter(watched));
    });

    [Fact]
    public void A_watch_ends_with_its_loop_before_the_last_callbacks_run()
    {
        var (watched, peer) = SocketPair.Create();
        using (watched)
        using (peer)
        {
            var calls = 0;
            var callsBeforeTheEnd = 0;
            EventLoop.Run((loop, ending) =>
            {
                ending.Register(() => callsBeforeTheEnd = calls);
                peer.Send("unread"u8);
                var called = loop.CreateFuture();
                loop.AddReader(watched, () =>
                {
                    calls++;
                    called.TrySetResult();
                });
                return called.Task;
            });

            Assert.True(calls > 0);
            Assert.Equal(callsBeforeTheEnd, calls);
            Assert.Equal(6, watched.Available);
        }
    }

    [Fact, Case("LOOP-053")]
    public void A_second_reader_replaces_the_first_and_leaves_the_writer_alone() => OnPair(async (loop, watched, peer) =>
    {
        var writes = 0;
        var first = loop.AddReader(watched, static () => Assert.Fail("the replaced reader was called"));
        loop.AddWriter(watched, () => writes++);
        var read = loop.CreateFuture();
        var second = loop.AddReader(watched, () => read.TrySetResult());
        Assert.True(first.IsCancelled);
        Assert.False(second.IsCancelled);
        peer.Send("data"u8);

        await read.Task;
        while (writes == 0) await Task.Yield();
        first.Cancel();
        Assert.True(loop.RemoveReader(watched));
        Assert.True(loop.RemoveWriter(watched));
    });

    [Fact, Case("LOOP-055")]
    public void A_reader_whose_handle_is_cancelled_is_removed() => OnPair(async (loop, watched, peer) =>
    {
        var handle = loop.AddReader(watched, static () => Assert.Fail("the cancelled reader was called"));
        peer.Send("data"u8);
        handle.Cancel();
        Assert.True(handle.IsCancelled);

        await Task.Yield();
        await Task.Yield();
        Assert.False(loop.RemoveReader(watched));
    });

    [Fact, Case("LOOP-055")]
    public void A_reader_that_an_earlier_event_of_the_same_poll_removes_is_not_called() => OnPair(async (loop, watched, peer) =>
    {
        var (otherWatched, otherPeer) = SocketPair.Create();
        using (otherWatched)
        using (otherPeer)
        {
            var called = 0;
            loop.AddReader(watched, () =>
            {
                called++;
                loop.RemoveReader(otherWatched);
                loop.RemoveReader(watched);
            });
            loop.AddReader(otherWatched, () =>
            {
                called++;
                loop.RemoveReader(watched);
                loop.RemoveReader(otherWatched);
            });
            peer.Send("data"u8);
            otherPeer.Send("data"u8);

            await Task.Delay(TimeSpan.FromMilliseconds(2), loop.TimeProvider);
            Assert.Equal(1, called);
        }
    });

    [Fact, Case("LOOP-056")]
    public void A_reader_that_throws_stays() => OnPair(async (loop, watched, peer) =>
    {
        var reports = new List<ExceptionContext>();
        loop.ExceptionHandler = (_, context) => reports.Add(context);
        var handle = loop.AddReader(watched, static () => throw new FormatException());
        peer.Send("data"u8);

        while (reports.Count < 2) await Task.Yield();
        Assert.All(reports, context => Assert.Same(handle, context.Handle));
        Assert.True(loop.RemoveReader(watched));
    });

    [Fact, Case("LOOP-058")]
    public void A_descriptor_that_a_transport_uses_is_refused_until_the_transport_is_gone() => LoopKernel.Epoll.Run(async loop =>
    {
        var (first, second) = SocketPair.Create();
        using var peer = second;
        var (transport, protocol) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), first);
        var number = transport.GetExtraInfo(ExtraInfo.Socket)!.Handle;
        using (var borrowed = new SafeSocketHandle(number, ownsHandle: false))
        {
            var acts = new Action[]
            {
                () => loop.AddReader(borrowed, static () => { }),
                () => loop.AddWriter(borrowed, static () => { }),
                () => loop.RemoveReader(borrowed),
                () => loop.RemoveWriter(borrowed),
            };
            Assert.All(acts, static act => Assert.Contains("transport", Assert.Throws<InvalidOperationException>(act).Message, StringComparison.Ordinal));
        }

        transport.Abort();
        await protocol.Lost;
        await Task.Yield();
        Assert.False(loop.RemoveReader(peer));
        loop.AddReader(peer, static () => { });
        Assert.True(loop.RemoveReader(peer));
    });

    [Fact, Case("CTX-005")]
    public void Watchers_run_in_the_context_of_the_call() => OnPair(async (loop, watched, _) =>
    {
        var ambient = new AsyncLocal<string?> { Value = "adder" };
        var seen = loop.CreateFuture<string?>();
        loop.AddWriter(watched, () => seen.TrySetResult(ambient.Value));
        ambient.Value = "other";

        Assert.Equal("adder", await seen.Task);
        loop.RemoveWriter(watched);
    });

    [Fact]
    public void A_descriptor_whose_number_an_unfinished_watch_has_used_is_watched_anew() => LoopKernel.Epoll.Run(async loop =>
    {
        var (first, second) = SocketPair.Create();
        var number = first.SafeHandle.DangerousGetHandle();
        loop.AddReader(first, static () => Assert.Fail("the reader of a closed socket was called"));
        first.Dispose();
        second.Dispose();

        var pairs = new List<(Socket First, Socket Second)>();
        do pairs.Add(SocketPair.Create());
        while (pairs[^1].First.SafeHandle.DangerousGetHandle() != number && pairs.Count < 64);
        var (watched, peer) = pairs[^1];
        var read = loop.CreateFuture();
        loop.AddReader(watched, () => read.TrySetResult());
        peer.Send("data"u8);

        await read.Task;
        Assert.True(loop.RemoveReader(watched));
        foreach (var pair in pairs)
        {
            pair.First.Dispose();
            pair.Second.Dispose();
        }
    });

    [Fact]
    public void Pipes_are_watched_like_sockets() => LoopKernel.Epoll.Run(async loop =>
    {
        using var pipe = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        using var reader = new SafeFileHandle(pipe.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        var read = loop.CreateFuture();
        loop.AddReader(reader, () => read.TrySetResult());
        pipe.WriteByte(1);

        await read.Task;
        Assert.True(loop.RemoveReader(reader));
    });

    [Fact]
    public void A_regular_file_cannot_be_watched() => LoopKernel.Epoll.Run(loop =>
    {
        using var file = File.OpenHandle(typeof(WatchTests).Assembly.Location);
        Assert.Throws<SocketException>(() => loop.AddReader(file, static () => { }));
        Assert.False(loop.RemoveReader(file));
        return Task.CompletedTask;
    });

    [Fact, Case("LOOP-071")]
    public void A_kernel_without_descriptors_says_so() => LoopKernel.Simulated.Run(static loop =>
    {
        var (first, second) = SocketPair.Create();
        using (first)
        using (second)
        {
            Assert.Throws<NotSupportedException>(() => loop.AddReader(first, static () => { }));
            Assert.Throws<NotSupportedException>(() => loop.AddWriter(first, static () => { }));
        }

        return Task.CompletedTask;
    });

    private static void OnPair(Func<EventLoop, Socket, Socket, Task> test) => LoopKernel.Epoll.Run(async loop =>
    {
        var (watched, peer) = SocketPair.Create();
        using (watched)
        using (peer) await test(loop, watched, peer);
    });
}
