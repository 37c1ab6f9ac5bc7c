using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.Backends.Linux;

/// <summary>The two system calls by which bytes reach a kind of descriptor. Neither waits.</summary>
internal unsafe interface ISendingCalls
{
    static abstract int Send(Syscalls system, int fd, byte* bytes, int length, out IoError error);

    static abstract int SendGathered(Syscalls system, int fd, IoVector* vectors, int count, out IoError error);
}

/// <summary>To sockets.</summary>
internal readonly unsafe struct SocketSending : ISendingCalls
{
    public static int Send(Syscalls system, int fd, byte* bytes, int length, out IoError error) => system.Send(fd, bytes, length, out error);

    public static int SendGathered(Syscalls system, int fd, IoVector* vectors, int count, out IoError error) =>
        system.SendGathered(fd, vectors, count, out error);
}

/// <summary>To anything else, in non-blocking mode.</summary>
internal readonly unsafe struct FileWriting : ISendingCalls
{
    public static int Send(Syscalls system, int fd, byte* bytes, int length, out IoError error) => system.Write(fd, bytes, length, out error);

    public static int SendGathered(Syscalls system, int fd, IoVector* vectors, int count, out IoError error) =>
        system.WriteGathered(fd, vectors, count, out error);
}
