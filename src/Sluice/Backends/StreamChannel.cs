using System.Net;
using Microsoft.Win32.SafeHandles;
using Sluice.Primitives;

namespace Sluice.Backends;

/// <summary>One connected stream in a backend: bytes in, bytes out. Owned by its transport; used on the loop's thread.</summary>
internal abstract class StreamChannel
{
    /// <summary>Set while the sink wants to be asked for memory (<see cref="IStreamSink.ReadTarget"/>): spares the others the question.</summary>
    public bool AsksForTarget { get; set; }

    /// <summary>The descriptor, or -1 once it is closed.</summary>
    public abstract nint Handle { get; }

    /// <summary>
    /// The local address, or null where there is none. Keeps its answer after the close; one that was accepted on every address and was never
    /// asked before has none then.
    /// </summary>
    public abstract EndPoint? LocalName { get; }

    /// <summary>The peer's address, or null where there is none. Keeps its answer after the close.</summary>
    public abstract EndPoint? PeerName { get; }

    /// <summary>The socket for users to look at, the same object at every call, or null where the backend has none.</summary>
    public abstract TransportSocket? Socket { get; }

    /// <summary>Who is at the other end, or null where the kernel does not say: TCP. Asked for once; null too if that was not before the close.</summary>
    public virtual PeerCredentials? PeerCredentials => null;

    /// <summary>
    /// How many bytes have arrived that no read has brought yet, as far as that can be told without reading: at least one where some have. None once closed.
    /// </summary>
    public virtual int Unread => 0;

    /// <summary>Names the sink: once, before anything else.</summary>
    public abstract void Attach(IStreamSink sink);

    /// <summary>Arms reading. Idempotent. Never after OnReadEnd.</summary>
    public abstract void StartReading();

    /// <summary>Disarms reading; cheap, and undone by StartReading without a system call where nothing happened in between. Idempotent.</summary>
    public abstract void StopReading();

    /// <summary>
    /// Offers the queue and then the extra bytes to the kernel, gathered, without waiting. Not while a write is outstanding.
    /// </summary>
    /// <returns>How many bytes were taken, counted over both. Would-block is no error.</returns>
    public abstract int TryWrite(in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error);

    /// <summary>Sends the slice when the kernel takes it; OnWritten tells. The segments stay put until then. At most one outstanding.</summary>
    public abstract void StartWrite(in WriteSlice queue);

    /// <summary>
    /// Has the kernel send a part of a file, without waiting for the peer; it may wait for the disk. The file's own position stays. Not
    /// while a write is outstanding or room is awaited.
    /// </summary>
    /// <param name="file">A file that stays open meanwhile.</param>
    /// <param name="offset">The first byte.</param>
    /// <param name="count">At most so many bytes, at least one.</param>
    /// <param name="sent">How many the kernel has taken.</param>
    /// <param name="error">Of the connection, or of the file: also where this backend, or the kernel, cannot send such a file.</param>
    /// <returns>False where the kernel takes no more now. True with nothing sent and no error: the file ends at or before the offset.</returns>
    public virtual bool TrySendFile(SafeFileHandle file, long offset, long count, out long sent, out IoError error)
    {
        sent = 0;
        error = IoError.NotSupported;
        return false;
    }

    /// <summary>Asks for one <see cref="IStreamSink.OnRoom"/> when a <see cref="TrySendFile"/> may get further. Not while a write is outstanding. Idempotent.</summary>
    public virtual void AwaitRoom()
    {
    }

    /// <summary>Takes <see cref="AwaitRoom"/> back. Idempotent.</summary>
    public virtual void StopAwaitingRoom()
    {
    }

    /// <summary>
    /// The stream closes: once the peer has acknowledged nothing of what is still to be sent for so long, it is broken, also after <see cref="Close"/>. Where the kernel can do that: TCP.
    /// </summary>
    public virtual void LimitClosing(TimeSpan timeout)
    {
    }

    /// <summary>Ends the sending side. Not while a write is outstanding.</summary>
    public abstract void ShutdownWrite();

    /// <summary>
    /// Lets the stream go; <see cref="IStreamSink.OnClosed"/> follows, from a later Poll. Gracefully: the sending side is ended, and what the peer still sends is
    /// read and dropped for a bounded time, because closing over unread input would destroy data in flight. With reset: at once, and
    /// a TCP peer sees a reset.
    /// </summary>
    public abstract void Close(bool reset);
}
