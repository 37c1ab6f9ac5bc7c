using System.Net;
using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Backends.Epoll;
using Sluice.Native;
using Sluice.Primitives;

namespace Sluice.KernelTests.Backends.Kit;

/// <summary>The address families that every behaviour of a stream is tried on.</summary>
public enum Family
{
    IPv4,
    IPv6,
    Unix,
}

/// <summary>A backend without a loop, polled by the test, and a folder for socket files. Peers are ordinary sockets.</summary>
internal sealed class KernelBench : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");
    private readonly List<IDisposable> _owned = [];

    public KernelBench(Syscalls? system = null, IClock? clock = null) => Backend = new EpollBackend(system, clock);

    public EpollBackend Backend { get; }

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public EndPoint NewAddress(Family family) => family switch
    {
        Family.IPv4 => new IPEndPoint(IPAddress.Loopback, 0),
        Family.IPv6 => new IPEndPoint(IPAddress.IPv6Loopback, 0),
        _ => new UnixDomainSocketEndPoint(PathOf(Guid.NewGuid().ToString("N"))),
    };

    public (ListenChannel Listener, RecordingListenSink Sink) Listen(EndPoint address, ServerOptions? options = null)
    {
        var sink = new RecordingListenSink();
        var listener = Backend.Listen(address, options ?? ServerOptions.Default, sink);
        listener.StartAccepting();
        return (listener, sink);
    }

    /// <summary>A blocking socket that is connected, or waits in the backlog.</summary>
    public Socket Dial(EndPoint address)
    {
        var socket = DialUnowned(address);
        _owned.Add(socket);
        return socket;
    }

    /// <summary>The same, for the caller to dispose of.</summary>
    public static Socket DialUnowned(EndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 10_000, SendTimeout = 10_000 };
        socket.Connect(address);
        return socket;
    }

    /// <summary>An accepted channel with its sink attached, and the peer's socket.</summary>
    public (StreamChannel Channel, RecordingStreamSink Sink, Socket Peer) Connect(Family family)
    {
        var (listener, accepted) = Listen(NewAddress(family));
        var peer = Dial(listener.LocalName);
        PollUntil(() => accepted.Accepted.Count == 1);
        listener.Close();
        var sink = new RecordingStreamSink();
        accepted.Accepted[0].Attach(sink);
        return (accepted.Accepted[0], sink, peer);
    }

    public void PollUntil(Func<bool> condition)
    {
        for (var i = 0; i < 200; i++)
        {
            if (condition()) return;
            Backend.Poll(TimeSpan.FromMilliseconds(100));
        }

        Assert.Fail("The condition did not come true.");
    }

    /// <summary>Looks a few times without waiting: for what must not happen.</summary>
    public void PollIdle()
    {
        for (var i = 0; i < 5; i++) Backend.Poll(TimeSpan.FromMilliseconds(1));
    }

    public void Dispose()
    {
        Backend.Dispose();
        foreach (var owned in _owned) owned.Dispose();
        _folder.Delete(recursive: true);
    }
}
