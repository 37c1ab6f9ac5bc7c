using System.Net.Sockets;

namespace Sluice.KernelTests.Transports.Kit;

/// <summary>
/// Descriptors that come and go among those of the connections under test, so that a number that is closed twice is sooner or later one of
/// theirs: each must be the same file when it goes as when it came. Used on one thread.
/// </summary>
internal sealed class Canaries : IDisposable
{
    private readonly Queue<(Socket Socket, string File)> _alive = new();

    public Canaries(int count)
    {
        for (var i = 0; i < count; i++) _alive.Enqueue(Hatch());
    }

    /// <summary>Lets the oldest go and a new one come.</summary>
    public void Renew()
    {
        Release(_alive.Dequeue());
        _alive.Enqueue(Hatch());
    }

    public void Dispose()
    {
        while (_alive.TryDequeue(out var canary)) Release(canary);
    }

    private static (Socket, string) Hatch()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        return (socket, FileOf(socket));
    }

    private static void Release((Socket Socket, string File) canary)
    {
        Assert.Equal(canary.File, FileOf(canary.Socket));
        canary.Socket.Dispose();
    }

    private static string FileOf(Socket socket) => new FileInfo($"/proc/self/fd/{socket.Handle}").LinkTarget ?? "closed";
}
