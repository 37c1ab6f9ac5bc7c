using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Sluice.Native;

/// <summary>
/// An array of struct epoll_event in pinned memory, owned by its backend. The kernel packs the struct on x64 (12 bytes) and on no other
/// machine (16 bytes), so it cannot be declared as one C# struct.
/// </summary>
internal sealed unsafe class EpollEvents
{
    public static readonly int Stride = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;
    private static readonly int DataOffset = Stride - sizeof(ulong);

    private readonly byte[] _memory;

    public EpollEvents(int capacity)
    {
        Capacity = capacity;
        _memory = GC.AllocateArray<byte>(capacity * Stride, pinned: true);
        Address = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
    }

    public int Capacity { get; }

    /// <summary>Where the array begins; good for as long as this object is referenced.</summary>
    public byte* Address { get; }

    public EpollInterest InterestAt(int index) => (EpollInterest)Unsafe.ReadUnaligned<uint>(Address + index * Stride);

    public ulong TokenAt(int index) => Unsafe.ReadUnaligned<ulong>(Address + index * Stride + DataOffset);

    /// <summary>Writes one event for epoll_ctl.</summary>
    public static void Write(byte* target, EpollInterest interest, ulong token)
    {
        Unsafe.WriteUnaligned(target, (uint)interest);
        Unsafe.WriteUnaligned(target + DataOffset, token);
    }
}
