using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using Microsoft.Win32.SafeHandles;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Transports;

/// <summary>Sending files where only a real kernel, real files and real threads show it.</summary>
public sealed class SendFileTests : IDisposable
{
    private const long BeyondFourGiB = (1L << 32) + 12_345;

    // Not below the segments of the loopback device: their sender would wait for delayed acknowledgements.
    private const int SmallBuffer = 128 * 1024;

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact, Case("SENDFILE-002", "BUG-033")]
    public void A_part_beyond_four_gibibytes_of_a_sparse_file_is_sent() => Run(async (loop, client, server) =>
    {
        var data = Bytes.Pattern(100);
        await using var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = BeyondFourGiB;
        file.Write(data);

        Assert.Equal(100, await loop.SendFileAsync(client, file, BeyondFourGiB, fallback: false));
        Assert.Equal(BeyondFourGiB + 100, file.Position);
        Assert.Equal(60, await loop.SendFileAsync(client, new BufferedStream(file), BeyondFourGiB + 40));

        await server.WaitForBytesAsync(160);
        Assert.Equal([.. data, .. data[40..]], server.Received.ToArray());
    });

    [Fact, Case("SENDFILE-023")]
    public void A_file_that_says_that_it_is_empty_is_read_to_its_end() => Run(async (loop, client, server) =>
    {
        var version = File.ReadAllBytes("/proc/version");
        await using var file = new FileStream("/proc/version", FileMode.Open, FileAccess.Read);
        Assert.Equal(0, file.Length);

        Assert.Equal(version.Length, await loop.SendFileAsync(client, file));
        Assert.Equal(version.Length - 6, await loop.SendFileAsync(client, file.SafeFileHandle, offset: 6));
        Assert.Equal(5, await loop.SendFileAsync(client, file.SafeFileHandle, offset: 0, count: 5));
        await server.WaitForBytesAsync(2 * version.Length - 1);
        Assert.Equal([.. version, .. version[6..], .. version[..5]], server.Received.ToArray());
    });

    [Fact, Case("SENDFILE-001")]
    public void What_the_file_has_buffered_is_sent_too() => Run(async (loop, client, server) =>
    {
        await using var file = new FileStream(_path, FileMode.Open, FileAccess.ReadWrite);
        file.Write("written, not flushed"u8);

        Assert.Equal(20, await loop.SendFileAsync(client, file, fallback: false));
        file.Write(" and more"u8);
        file.Flush();

        await server.WaitForBytesAsync(20);
        Assert.Equal("written, not flushed"u8.ToArray(), server.Received.ToArray());
        Assert.Equal("written, not flushed and more", await File.ReadAllTextAsync(_path));
    });

    [Fact, Case("SENDFILE-018")]
    public void A_file_goes_into_an_idle_connection_with_one_call_and_no_wait()
    {
        var system = new CountingSendFile();
        Run(async (loop, client, server) =>
        {
            await File.WriteAllBytesAsync(_path, Bytes.Pattern(10_000));
            await using var file = File.OpenRead(_path);
            var sending = loop.SendFileAsync(client, file);
            Assert.True(sending.IsCompletedSuccessfully);
            await server.WaitForBytesAsync(10_000);
        }, system);

        Assert.Equal(1, system.Calls);
    }

    [Fact, Case("SENDFILE-012")]
    public void A_file_that_is_closed_meanwhile_is_sent_to_its_end() => Run(async (loop, client, server) =>
    {
        await File.WriteAllBytesAsync(_path, Bytes.Pattern(1_500_000));
        var file = File.OpenRead(_path);
        client.GetExtraInfo(ExtraInfo.Socket)!.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, SmallBuffer);
        server.Transport.PauseReading();
        var sending = loop.SendFileAsync(client, file);
        await file.DisposeAsync();

        // Its number would be the next one's.
        using var intruder = File.OpenRead("/dev/zero");
        server.Transport.ResumeReading();

        Assert.Equal(1_500_000, await sending);
        await server.WaitForBytesAsync(1_500_000);
        Assert.Equal(Bytes.Pattern(1_500_000), server.Received.ToArray());
    });

    [Fact, Case("SENDFILE-001")]
    public void A_file_that_shrinks_meanwhile_ends_where_it_ends_then() => Run(async (loop, client, server) =>
    {
        await File.WriteAllBytesAsync(_path, Bytes.Pattern(1_500_000));
        await using var file = File.OpenRead(_path);
        client.GetExtraInfo(ExtraInfo.Socket)!.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.SendBuffer, SmallBuffer);
        server.Transport.PauseReading();
        var sending = loop.SendFileAsync(client, file, fallback: false);
        using (var same = new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) same.SetLength(1_000_000);
        server.Transport.ResumeReading();

        Assert.Equal(1_000_000, await sending);
        Assert.Equal(1_000_000, file.Position);
        await server.WaitForBytesAsync(1_000_000);
        Assert.Equal(Bytes.Pattern(1_000_000), server.Received.ToArray());
    });

    [Theory, Case("SENDFILE-017")]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pipe_is_no_regular_file_and_goes_by_the_fallback(bool byHandle) => Run(async (loop, client, server) =>
    {
        using var writer = new AnonymousPipeServerStream(PipeDirection.Out);
        using var handle = new SafeFileHandle(writer.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: false);
        await using var stream = new FileStream(handle, FileAccess.Read);
        await writer.WriteAsync(Bytes.Pattern(30_000));
        writer.Dispose();

        Task<long> Send(bool fallback) => byHandle
            ? loop.SendFileAsync(client, handle, fallback: fallback)
            : loop.SendFileAsync(client, stream, fallback: fallback);
        await Assert.ThrowsAsync<SendFileNotAvailableException>(() => Send(fallback: false));
        if (byHandle) await Assert.ThrowsAsync<NotSupportedException>(() => loop.SendFileAsync(client, handle, offset: 1));
        else Assert.Throws<ArgumentException>("offset", () => { _ = loop.SendFileAsync(client, stream, offset: 1); });

        Assert.Equal(30_000, await Send(fallback: true));
        await server.WaitForBytesAsync(30_000);
        Assert.Equal(Bytes.Pattern(30_000), server.Received.ToArray());
    });

    [Fact, Case("SENDFILE-001")]
    public void It_can_be_asked_for_from_another_thread()
    {
        File.WriteAllBytes(_path, Bytes.Pattern(3_000_000));
        Run(async (loop, client, server) =>
        {
            await using var file = File.OpenRead(_path);
            var sent = await Task.Run(() => loop.SendFileAsync(client, file));
            Assert.Equal(3_000_000, sent);
            await Task.Run(() => Assert.ThrowsAsync<InvalidOperationException>(async () =>
            {
                await loop.InvokeAsync(() =>
                {
                    client.WriteEof();
                    return Task.CompletedTask;
                });
                await loop.SendFileAsync(client, file);
            }));
            await server.WaitForEofAsync();
            Assert.Equal(Bytes.Pattern(3_000_000), server.Received.ToArray());
        });
    }

    [Fact, Case("SENDFILE-018")]
    public void A_duplicate_that_blocks_does_not_make_the_loop_wait() => Run(async (loop, client, server) =>
    {
        await File.WriteAllBytesAsync(_path, Bytes.Pattern(1_500_000));
        await using var file = File.OpenRead(_path);
        using var duplicate = client.GetExtraInfo(ExtraInfo.Socket)!.Duplicate();
        duplicate.SendBufferSize = SmallBuffer;
        Blocking.Set((int)duplicate.Handle);
        server.Transport.PauseReading();

        var sending = loop.SendFileAsync(client, file, fallback: false);
        Assert.False(sending.IsCompleted);
        server.Transport.ResumeReading();
        Assert.Equal(1_500_000, await sending);
    });

    [Fact, Case("SENDFILE-007")]
    public void A_transport_of_another_loop_is_refused() => Run(async (loop, client, server) =>
    {
        await using var file = File.OpenRead(_path);
        using var other = new EventLoop(new EventLoopOptions { Backend = LoopBackend.Epoll });
        Assert.Throws<ArgumentException>("transport", () => { _ = other.SendFileAsync(client, file); });
    });

    private static void Run(Func<EventLoop, ITransport, RecordingProtocol, Task> test, CountingSendFile? system = null)
    {
        var patience = TimeSpan.FromSeconds(30);
        using var loop = new EventLoop(new EpollBackend(system), new EventLoopOptions());
        loop.RunUntilComplete(() => ConnectAndTestAsync().WaitAsync(patience, loop.TimeProvider));

        async Task ConnectAndTestAsync()
        {
            var server = new RecordingProtocol { OnEof = static () => true };
            var listener = await loop.CreateServerAsync(() => server, new IPEndPoint(IPAddress.Loopback, 0));
            var (transport, client) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), listener.EndPoints[0]);
            await server.Made;
            await test(loop, transport, server);
            transport.Close();
            server.Transport.Close();
            await client.Lost;
            listener.Close();
            Assert.Empty(client.Violations);
            Assert.Empty(server.Violations);
        }
    }

    /// <summary>The real kernel, with its sendfile calls counted.</summary>
    private sealed class CountingSendFile : Native.Syscalls
    {
        public int Calls { get; private set; }

        public override long SendFile(int fd, SafeFileHandle file, long offset, long count, out Primitives.IoError error)
        {
            Calls++;
            return base.SendFile(fd, file, offset, count, out error);
        }
    }

    /// <summary>What a program does to a socket that it shares with others.</summary>
    private static class Blocking
    {
        public static void Set(int fd)
        {
            var flags = Native.DescriptorCalls.Control(fd, Native.DescriptorCalls.GetFlags, 0);
            Native.DescriptorCalls.Control(fd, Native.DescriptorCalls.SetFlags, flags & ~Native.DescriptorCalls.NonBlocking);
        }
    }
}
