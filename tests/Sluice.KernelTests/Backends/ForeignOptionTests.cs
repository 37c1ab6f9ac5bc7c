using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.KernelTests.Backends.Kit;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends;

/// <summary>Options that only a real kernel has, on sockets and listeners of somebody else's.</summary>
public sealed class ForeignOptionTests
{
    private const int OptionTimestamping = 37;

    /// <summary>SOF_TIMESTAMPING_TX_SOFTWARE and SOF_TIMESTAMPING_SOFTWARE: a note about every send.</summary>
    private const int NoteSends = 2 | 16;

    [Theory, Case("BUG-141")]
    [InlineData(true)]
    [InlineData(false)]
    public void A_cork_is_taken_off_an_adopted_socket_where_small_segments_are_to_leave_at_once(bool noDelay)
    {
        using var bench = new KernelBench();
        var (near, far) = TcpPair();
        using var peer = far;
        Set(near, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpCork, 1);

        var channel = bench.Backend.Adopt(near.SafeHandle, new ConnectionOptions { NoDelay = noDelay });

        Assert.Equal(!noDelay, IsCorked(channel));
    }

    [Fact, Case("BUG-141")]
    public void A_cork_is_taken_off_the_connections_of_an_existing_listener_and_stays_on_the_listener()
    {
        using var bench = new KernelBench();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        Set(listener, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpCork, 1);
        var sink = new RecordingListenSink();
        bench.Backend.AdoptListener(listener.SafeHandle, ListenerOwnership.Borrowed, ServerOptions.Default, sink).StartAccepting();

        bench.Dial(listener.LocalEndPoint!);
        bench.PollUntil(() => sink.Accepted.Count == 1);

        Assert.False(IsCorked(sink.Accepted[0]));
        Assert.Equal(1, Syscalls.System.GetOption((int)listener.Handle, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpCork, out _));
    }

    [Theory, Case("BUG-142")]
    [InlineData(true)]
    [InlineData(false)]
    public void Notes_that_the_kernel_queues_about_a_socket_are_dropped_whether_or_not_it_closes(bool closes)
    {
        var system = new NoteCounter();
        using var bench = new KernelBench(system);
        var (near, far) = TcpPair();
        using var peer = far;
        Set(near, SocketConstants.LevelSocket, OptionTimestamping, NoteSends);
        var channel = bench.Backend.Adopt(near.SafeHandle, ConnectionOptions.Default);
        var sink = new RecordingStreamSink();
        channel.Attach(sink);
        channel.StartReading();

        channel.TryWrite(default, "noted"u8, out var error);
        if (closes) channel.Close(reset: false);
        bench.PollUntil(() => system.Dropped > 0);
        far.Send("still here"u8);
        if (!closes) bench.PollUntil(() => sink.Received.Length == 10);

        Assert.True(error.IsNone);
        Assert.Empty(sink.Ends);
        Assert.Equal("noted"u8.ToArray(), Bytes.ReceiveExactly(far, 5));
    }

    [Fact, Case("BUG-140")]
    public void A_backend_that_is_disposed_of_is_not_held_by_a_linger()
    {
        var (near, far) = TcpPair();
        using var peer = far;
        using var watcher = new Socket(new SafeSocketHandle(Syscalls.System.Duplicate((int)near.Handle, out _), ownsHandle: true));
        near.LingerState = new LingerOption(true, 300);
        using (var bench = new KernelBench()) bench.Backend.Adopt(near.SafeHandle, ConnectionOptions.Default);

        Assert.False(watcher.LingerState!.Enabled);
    }

    private static (Socket Near, Socket Far) TcpPair()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        near.Connect(listener.LocalEndPoint!);
        var far = listener.Accept();
        far.ReceiveTimeout = 10_000;
        return (near, far);
    }

    private static void Set(Socket socket, int level, int name, int value) =>
        Assert.True(Syscalls.System.SetOption((int)socket.Handle, level, name, value).IsNone);

    private static bool IsCorked(StreamChannel channel) =>
        Syscalls.System.GetOption((int)channel.Handle, SocketConstants.ProtocolTcp, SocketConstants.OptionTcpCork, out _) != 0;

    private sealed class NoteCounter : Syscalls
    {
        public int Dropped { get; private set; }

        public override IoError DropQueuedError(int fd)
        {
            var error = base.DropQueuedError(fd);
            if (error.IsNone) Dropped++;
            return error;
        }
    }
}
