using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>Hands queued datagrams to a socket, many in one system call and without copying them. One per loop: it owns the arrays that describe the messages.</summary>
internal sealed unsafe class DatagramSender
{
    public const int MostAtOnce = 64;

    private readonly Syscalls _system;
    private readonly MessageSlot[] _messageMemory = GC.AllocateArray<MessageSlot>(MostAtOnce, pinned: true);
    private readonly IoVector[] _vectorMemory = GC.AllocateArray<IoVector>(MostAtOnce, pinned: true);
    private readonly byte[] _nameMemory = GC.AllocateArray<byte>(MostAtOnce * SocketConstants.MaxAddressLength, pinned: true);
    private readonly MessageSlot* _messages;
    private readonly IoVector* _vectors;
    private readonly byte* _names;
    private UnixDomainSocketEndPoint? _lastUnix;
    private byte[] _lastUnixBytes = [];

    public DatagramSender(Syscalls system)
    {
        _system = system;
        _messages = (MessageSlot*)AddressOf(_messageMemory);
        _vectors = (IoVector*)AddressOf(_vectorMemory);
        _names = (byte*)AddressOf(_nameMemory);
    }

    /// <summary>Sends the queue in its order, until all are taken, one is refused, or the kernel takes no more.</summary>
    /// <returns>How many were taken, also where an error came behind them. Would-block is no error.</returns>
    public int Send(int fd, in DatagramQueue queue, out IoError error)
    {
        error = IoError.None;
        var sent = 0;
        while (sent < queue.Count)
        {
            var count = Math.Min(queue.Count - sent, MostAtOnce);
            for (var i = 0; i < count; i++) Describe(i, queue.PayloadAt(sent + i), queue.AddressAt(sent + i));
            // Where it takes fewer than it was offered, the next call tells why.
            var taken = _system.SendMessages(fd, _messages, count, out error);
            if (!error.IsNone) break;
            sent += taken;
        }

        if (error == IoError.WouldBlock) error = IoError.None;
        Defect.CrashOn(error, "sendmmsg");
        return sent;
    }

    // Segments are pinned, so their addresses hold without a handle.
    private void Describe(int index, ReadOnlySpan<byte> payload, in DatagramAddress address)
    {
        _vectors[index] = new IoVector { Base = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(payload)), Length = (nuint)payload.Length };
        ref var header = ref _messages[index].Header;
        header.Vectors = _vectors + index;
        header.VectorCount = 1;
        header.Name = null;
        header.NameLength = 0;
        if (address.IsNone) return;
        var name = _names + index * SocketConstants.MaxAddressLength;
        header.Name = name;
        header.NameLength = (uint)WriteName(address, new Span<byte>(name, SocketConstants.MaxAddressLength));
    }

    // Serializing a Unix address allocates, and who sends to one mostly goes on to send there.
    private int WriteName(in DatagramAddress address, Span<byte> target)
    {
        if (address.Unix is not { } unix) return EndPointBytes.Write(address, target);
        if (!ReferenceEquals(unix, _lastUnix))
        {
            _lastUnixBytes = EndPointBytes.Of(unix).ToArray();
            _lastUnix = unix;
        }

        _lastUnixBytes.CopyTo(target);
        return _lastUnixBytes.Length;
    }

    private static void* AddressOf<T>(T[] memory) => Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(memory));
}
