using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>Hands queued bytes to the kernel without copying them. One per loop and kind: it owns the array that describes the parts of a send.</summary>
/// <typeparam name="TCalls">The system calls: a struct, so that they are called directly.</typeparam>
internal sealed unsafe class GatheringSender<TCalls> where TCalls : struct, ISendingCalls
{
    private readonly Syscalls _system;
    private readonly IoVector[] _memory = GC.AllocateArray<IoVector>(SocketConstants.MaxVectors, pinned: true);
    private readonly IoVector* _vectors;

    public GatheringSender(Syscalls system)
    {
        _system = system;
        _vectors = (IoVector*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
    }

    /// <summary>Sends the queue, then the extra bytes, until all are taken or the kernel takes no more.</summary>
    /// <returns>How many bytes were taken, also where an error came after them. Would-block is no error.</returns>
    public int Send(int fd, in WriteSlice queue, ReadOnlySpan<byte> extra, out IoError error)
    {
        fixed (byte* extraBytes = extra)
        {
            var sent = queue.IsEmpty ? SendOne(fd, extraBytes, extra.Length, out error)
                : extra.IsEmpty && queue.Head!.Length >= queue.Count ? SendOne(fd, AddressOf(queue.Head), queue.Count, out error)
                : SendMany(fd, queue, extraBytes, extra.Length, out error);
            if (error == IoError.WouldBlock) error = IoError.None;
            else if (!error.IsNone) Defect.CrashOn(error, "send");
            return sent;
        }
    }

    private int SendOne(int fd, byte* bytes, int length, out IoError error)
    {
        error = IoError.None;
        return length == 0 ? 0 : Math.Max(0, TCalls.Send(_system, fd, bytes, length, out error));
    }

    // Segments are pinned, so their addresses hold without a handle. A kernel that took less than was offered is full.
    private int SendMany(int fd, in WriteSlice queue, byte* extra, int extraLength, out IoError error)
    {
        var parts = queue.GetEnumerator();
        var total = 0;
        while (true)
        {
            var count = 0;
            var offered = 0;
            while (count < SocketConstants.MaxVectors && parts.MoveNext())
            {
                _vectors[count++] = new IoVector { Base = AddressOf(parts.Segment), Length = (nuint)parts.Length };
                offered += parts.Length;
            }

            if (count < SocketConstants.MaxVectors && extraLength > 0)
            {
                _vectors[count++] = new IoVector { Base = extra, Length = (nuint)extraLength };
                offered += extraLength;
                extraLength = 0;
            }

            error = IoError.None;
            if (count == 0) return total;
            var sent = Math.Max(0, TCalls.SendGathered(_system, fd, _vectors, count, out error));
            total += sent;
            if (sent < offered) return total;
        }
    }

    private static byte* AddressOf(Segment segment) =>
        (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(segment.Array)) + segment.Start;
}
