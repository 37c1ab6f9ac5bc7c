using System.Net.Sockets;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Patterned bytes, queues of them, and all that a peer reads.</summary>
internal static class Bytes
{
    /// <summary>Bytes in which a swapped or missing part shows.</summary>
    public static byte[] Pattern(int count)
    {
        var bytes = new byte[count];
        for (var i = 0; i < count; i++) bytes[i] = (byte)(i * 31 + i / 251);
        return bytes;
    }

    /// <summary>A chain of segments of the given size, as a transport would queue it.</summary>
    public static WriteSlice Chain(byte[] bytes, int segmentSize)
    {
        Segment? head = null;
        Segment? tail = null;
        for (var at = 0; at < bytes.Length; at += segmentSize)
        {
            var length = Math.Min(segmentSize, bytes.Length - at);
            var segment = new Segment(GC.AllocateArray<byte>(length, pinned: true)) { End = length };
            bytes.AsSpan(at, length).CopyTo(segment.Array);
            if (tail is null) head = segment;
            else tail.Next = segment;
            tail = segment;
        }

        return new WriteSlice(head, bytes.Length);
    }

    public static byte[] ReceiveExactly(Socket socket, int count)
    {
        var bytes = new byte[count];
        var filled = 0;
        while (filled < count)
        {
            var received = socket.Receive(bytes, filled, count - filled, SocketFlags.None);
            Assert.NotEqual(0, received);
            filled += received;
        }

        return bytes;
    }

    /// <summary>As <see cref="OpenDescriptors"/>, once what earlier tests have left to the collector is gone: where a count begins.</summary>
    public static int SettledDescriptors()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return OpenDescriptors();
    }

    /// <summary>
    /// How many descriptors this process has, without those of assemblies: the runtime opens one when it compiles a method anew that refers to
    /// it, at a time of its own.
    /// </summary>
    public static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd").Count(static descriptor =>
        new FileInfo(descriptor).LinkTarget is { } file && !file.EndsWith(".dll", StringComparison.Ordinal));
}
