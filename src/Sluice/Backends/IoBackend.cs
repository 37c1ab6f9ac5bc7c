using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Sluice.Primitives;

namespace Sluice.Backends;

/// <summary>
/// What a kernel can do for one loop: the seam between the loop with its transports above and epoll, io_uring, the portable classes or
/// a simulation below. Created, polled and disposed by one loop, on its thread.
/// </summary>
/// <remarks>
/// <para>The laws of the seam, for every backend:</para>
/// <list type="number">
/// <item>No echo: a sink is called only from <see cref="Poll"/>, never inside a call that comes from above. A failure known at once is
/// still reported from the next Poll.</item>
/// <item>Reading is armed, not requested. A channel that neither reads nor waits to write causes no wake-ups.</item>
/// <item>Late data is kept by the layer above: after StopReading a sink may still get data.</item>
/// <item>Join before close: <see cref="IStreamSink.OnClosed"/> comes only when every operation has come back from the kernel.</item>
/// <item>Only <see cref="Poll"/> blocks.</item>
/// <item>An event for a closed channel, or for one whose descriptor number was taken over by another, is dropped.</item>
/// <item>A buffered sink is filled without a copy where the kernel is asked at readiness.</item>
/// <item>Reads share one large buffer per loop, lent as a span; one read per channel and Poll.</item>
/// </list>
/// </remarks>
internal abstract class IoBackend : IDisposable
{
    /// <summary>
    /// The part of the descriptors that closed connections may hold while they linger. They are the first to go where an accept is in want of one, so this only leaves
    /// room for the files of the program.
    /// </summary>
    public const int LingeringShare = 2;

    /// <summary>The most bytes that one read delivers, and the size of the shared buffer.</summary>
    public const int ReadBufferSize = 256 * 1024;

    public abstract IClock Clock { get; }

    /// <summary>How often Poll came back from waiting, or looked without waiting: an idle loop leaves it alone.</summary>
    public long Wakeups { get; protected set; }

    /// <summary>How many descriptors the process may have open.</summary>
    public abstract int DescriptorLimit { get; }

    /// <summary>How many closed connections may linger at a time (see <see cref="StreamChannel.Close"/>): one more cuts off the one that has lingered longest.</summary>
    public virtual int MaxLingering { get; set; } = 1;

    /// <summary>How many connections that lingered were cut off before their time: there were too many, or an accept was in want of descriptors.</summary>
    public virtual long CutConnections => 0;

    /// <summary>Whether several listeners can share a TCP port.</summary>
    public abstract bool SupportsReusePort { get; }

    /// <summary>The user as whom this process acts now, or null where the kernel knows no users.</summary>
    public virtual uint? UserId => null;

    /// <summary>
    /// Waits for events at most for <paramref name="timeout"/> (zero: not at all; <see cref="Timeout.InfiniteTimeSpan"/>: until one comes
    /// or <see cref="Wake"/> is called) and reports them to their sinks. May come back early, with nothing to report.
    /// </summary>
    /// <returns>True where it reported anything to a sink.</returns>
    public abstract bool Poll(TimeSpan timeout);

    /// <summary>Makes a waiting or the next <see cref="Poll"/> come back. The only member for other threads; harmless after Dispose.</summary>
    public abstract void Wake();

    /// <summary>Opens a stream to a TCP or Unix address.</summary>
    /// <returns>To cancel; the sink is not called after that.</returns>
    public abstract IoOperation Connect(EndPoint? local, EndPoint remote, StreamOptions options, IConnectSink sink);

    /// <summary>
    /// Finds the addresses of a host name in one family, or in all for <see cref="AddressFamily.Unspecified"/>; off the loop's thread where the
    /// system's resolver blocks. No address is a failure.
    /// </summary>
    /// <returns>To cancel; the sink is not called after that.</returns>
    public abstract IoOperation Resolve(string host, AddressFamily family, ILookupSink<IReadOnlyList<IPAddress>> sink);

    /// <summary>Finds the host name of an address, as <see cref="Resolve"/> does addresses. No name is a failure.</summary>
    /// <returns>To cancel; the sink is not called after that.</returns>
    public abstract IoOperation Reverse(IPAddress address, ILookupSink<string> sink);

    /// <summary>Binds and listens; accepts nothing before <see cref="ListenChannel.StartAccepting"/>.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The address cannot be bound. Nothing is left open.</exception>
    public abstract ListenChannel Listen(EndPoint local, ServerOptions options, IListenSink sink);

    /// <summary>
    /// Serves a stream socket that is bound, and may listen already. Where it is to be owned the backend closes it, also on failure; its
    /// options stay as they are.
    /// </summary>
    /// <exception cref="System.Net.Sockets.SocketException">The handle is no bound stream socket, or a borrowed one that does not listen.</exception>
    public abstract ListenChannel AdoptListener(SafeHandle socket, ListenerOwnership ownership, ServerOptions options, IListenSink sink);

    /// <summary>Takes over a connected stream socket. From here on, also on failure, the backend closes it.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The handle is no connected stream socket.</exception>
    public abstract StreamChannel Adopt(SafeHandle socket, StreamOptions options);

    /// <summary>Whether <see cref="OpenPipe"/> would take the handle: a FIFO, a socket or a character device, opened
    /// for what this end does. Callable on any thread.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public virtual bool CanBePipe(SafeHandle handle, PipeEnd end) => false;

    /// <summary>
    /// Takes over one end of a pipe, or what can stand for one. From here on, also on failure, the backend closes it; but what
    /// <see cref="CanBePipe"/> refuses is left alone.
    /// </summary>
    /// <param name="handle">The descriptor.</param>
    /// <param name="end">
    /// What it is for. The channel of a writing end reports OnReadEnd, while it is reading, where its reader has gone; and nothing else is ever read
    /// from it.
    /// </param>
    /// <exception cref="ArgumentException">The handle can be no pipe. It is as it was.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel refuses.</exception>
    public virtual StreamChannel OpenPipe(SafeHandle handle, PipeEnd end) => throw new NotSupportedException();

    /// <summary>Opens a datagram socket: bound where a local address is given, connected where a remote one is. Neither waits.</summary>
    /// <param name="family">Its family: that of the addresses, if there are any.</param>
    /// <param name="local">Where it is bound, or null.</param>
    /// <param name="remote">Its only peer, or null.</param>
    /// <param name="options">How it is opened.</param>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel refuses. Nothing is left open.</exception>
    public abstract DatagramChannel OpenDatagram(AddressFamily family, EndPoint? local, EndPoint? remote, DatagramOptions options);

    /// <summary>Takes over a datagram socket. From here on, also on failure, the backend closes it.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The handle is no datagram socket.</exception>
    public abstract DatagramChannel AdoptDatagram(SafeHandle socket, DatagramOptions options);

    /// <summary>
    /// Reads a file that can seek at an offset, off the loop's thread where the system would wait for the disk.
    /// </summary>
    public virtual ValueTask<int> ReadFileAsync(SafeFileHandle file, Memory<byte> target, long offset, CancellationToken cancellation) =>
        RandomAccess.ReadAsync(file, target, offset, cancellation);

    /// <summary>Watches the readiness of a descriptor that stays the caller's.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The kernel cannot watch it.</exception>
    /// <exception cref="NotSupportedException">This backend cannot watch descriptors.</exception>
    public abstract WatchChannel Watch(SafeHandle handle, IWatchSink sink);

    /// <summary>Watches a signal of the process. Its default action is not taken meanwhile, unless that does no harm.</summary>
    /// <param name="signal">One that exists and can be caught.</param>
    /// <param name="sink">Called for each signal, never on the thread that it came to.</param>
    /// <returns>To cancel; the sink is not called after that, and the default action is back.</returns>
    public abstract IoOperation WatchSignal(PosixSignal signal, ISignalSink sink);

    /// <summary>Starts a child process. Its end is reported once, and whoever disposes of the backend before has ended it.</summary>
    /// <param name="request">What it is to be.</param>
    /// <param name="sink">Hears of its end.</param>
    /// <exception cref="FileNotFoundException">There is no such program.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such working directory.</exception>
    /// <exception cref="UnauthorizedAccessException">The program may not be executed, or the directory not be entered.</exception>
    /// <exception cref="PlatformNotSupportedException">The system cannot watch children.</exception>
    /// <exception cref="IOException">The system cannot start it for another reason. Nothing is left open, whatever is thrown.</exception>
    public virtual ChildProcess Spawn(SpawnRequest request, IExitSink sink) => throw new NotSupportedException();

    /// <summary>Lets go of everything at once, lingering connections included. Sinks are not called any more.</summary>
    public abstract void Dispose();
}

/// <summary>An operation under way. Used on the loop's thread.</summary>
internal abstract class IoOperation
{
    /// <summary>Gives up: the sink is not called any more and nothing stays open. Harmless when the operation is over.</summary>
    public abstract void Cancel();
}
