using System.Net.Sockets;
using Sluice.Native;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>Makes pairs of connected Unix sockets without names.</summary>
internal static class SocketPairs
{
    public static unsafe (Socket Near, Socket Far) Create()
    {
        var pair = stackalloc int[2];
        Assert.True(Syscalls.System.SocketPair(SocketConstants.TypeStream, pair).IsNone);
        return (new Socket(new SafeSocketHandle(pair[0], ownsHandle: true)), new Socket(new SafeSocketHandle(pair[1], ownsHandle: true)));
    }
}
