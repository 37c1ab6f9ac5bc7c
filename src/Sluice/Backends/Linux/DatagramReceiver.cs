using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>
/// Receives several datagrams in one system call, into the memory that all reads of the loop share. One per loop: it owns the arrays that describe the messages.
/// </summary>
/// <remarks>
/// A datagram of UDP can have 65,527 bytes and tells its size only by arriving, so each has a slot of 64 KiB: four at a time. More slots of that size would have to be memory of their
/// own, and would save little: the call itself is a small part of what a datagram costs (0.03 us of 0.5 at four to a call).
/// </remarks>
internal sealed unsafe class DatagramReceiver
{
    public const int Slots = IoBackend.ReadBufferSize / SlotSize;
    public const int SlotSize = 64 * 1024;

    private readonly Syscalls _system;
    private readonly byte* _buffer;
    private readonly MessageSlot[] _messageMemory = GC.AllocateArray<MessageSlot>(Slots, pinned: true);
    private readonly IoVector[] _vectorMemory = GC.AllocateArray<IoVector>(Slots, pinned: true);
    private readonly byte[] _nameMemory = GC.AllocateArray<byte>(Slots * SocketConstants.MaxAddressLength, pinned: true);
    private readonly MessageSlot* _messages;

    /// <param name="system">The kernel.</param>
    /// <param name="buffer">The loop's shared memory; good until the next read.</param>
    public DatagramReceiver(Syscalls system, byte* buffer)
    {
        _system = system;
        _buffer = buffer;
        _messages = (MessageSlot*)AddressOf(_messageMemory);
        var vectors = (IoVector*)AddressOf(_vectorMemory);
        for (var i = 0; i < Slots; i++)
        {
            vectors[i] = new IoVector { Base = buffer + i * SlotSize, Length = SlotSize };
            _messages[i].Header = new MessageHeader
            {
                Name = (byte*)AddressOf(_nameMemory) + i * SocketConstants.MaxAddressLength,
                Vectors = vectors + i,
                VectorCount = 1,
            };
        }
    }

    /// <summary>Receives what is there.</summary>
    /// <returns>How many datagrams; fewer than asked for where there are no more, or where an error stands behind them.</returns>
    public int Receive(int fd, int count, out IoError error)
    {
        for (var i = 0; i < count; i++) _messages[i].Header.NameLength = SocketConstants.MaxAddressLength;
        return Math.Max(0, _system.ReceiveMessages(fd, _messages, count, out error));
    }

    public ReadOnlySpan<byte> DataAt(int index) => new(_buffer + index * SlotSize, (int)_messages[index].Length);

    /// <summary>It was longer than its slot, and the rest is gone.</summary>
    public bool IsTruncatedAt(int index) => (_messages[index].Header.Flags & SocketConstants.Truncated) != 0;

    /// <summary>The sender's address, in the kernel's form.</summary>
    public ReadOnlySpan<byte> SenderAt(int index) => new(
        _messages[index].Header.Name, (int)Math.Min(_messages[index].Header.NameLength, SocketConstants.MaxAddressLength));

    private static void* AddressOf<T>(T[] memory) => Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(memory));
}
