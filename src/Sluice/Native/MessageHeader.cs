using System.Runtime.InteropServices;

namespace Sluice.Native;

/// <summary>struct iovec: one part of a gathered send.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IoVector
{
    public byte* Base;
    public nuint Length;
}

/// <summary>struct msghdr. (musl declares the lengths as int with padding: the same bytes on little-endian machines.)</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct MessageHeader
{
    public void* Name;
    public uint NameLength;
    public IoVector* Vectors;
    public nuint VectorCount;
    public void* Control;
    public nuint ControlLength;
    public int Flags;
}

/// <summary>struct mmsghdr: one message of several that are sent or received in one call.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct MessageSlot
{
    public MessageHeader Header;

    /// <summary>How many bytes of it were received or sent.</summary>
    public uint Length;
}

/// <summary>struct cmsghdr: what stands before each piece of data beside a message. Pieces begin at the alignment of a long.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ControlHeader
{
    public nuint Length;
    public int Level;
    public int Type;
}

/// <summary>struct linger, the value of SO_LINGER.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct LingerValue
{
    public int OnOff;
    public int Seconds;
}
