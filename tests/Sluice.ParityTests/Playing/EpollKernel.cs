using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging.Abstractions;

namespace Sluice.ParityTests.Playing;

/// <summary>Real sockets, on a loop over epoll. Owned by the play.</summary>
internal sealed class EpollKernel : IPlayKernel
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly string _directory;
    private readonly List<IDisposable> _kept = [];
    private int _paths;

    private EpollKernel(EventLoop loop, string directory)
    {
        Loop = loop;
        _directory = directory;
    }

    public EventLoop Loop { get; }

    /// <summary>Plays a scenario. One that does not end fails with what its actors have seen so far.</summary>
    public static Traces Play(Scenario scenario)
    {
        var directory = Directory.CreateTempSubdirectory("sluice-");
        try
        {
            return EventLoop.Run(loop => PlayAsync(scenario, new EpollKernel(loop, directory.FullName)), new EventLoopOptions { Backend = LoopBackend.Epoll, Logger = NullLogger.Instance })!;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    public EndPoint NewAddress(bool isUnix) =>
        isUnix ? new UnixDomainSocketEndPoint(Path.Combine(_directory, $"{++_paths}")) : new IPEndPoint(IPAddress.Loopback, 0);

    public (SafeHandle First, SafeHandle Second) Pair()
    {
        // A socket that nobody holds is closed by its finalizer, perhaps before a transport has taken it over.
        var (first, second) = SocketPair.Create();
        _kept.AddRange([first, second]);
        return (first.SafeHandle, second.SafeHandle);
    }

    public (SafeHandle Reader, SafeHandle Writer) Pipe()
    {
        var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        _kept.Add(pipe);
        return (pipe.ClientSafePipeHandle, pipe.SafePipeHandle);
    }

    public EndPoint UnusedAddress()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return socket.LocalEndPoint!;
    }

    public (SafeHandle First, SafeHandle Second) DatagramPair()
    {
        var (first, second) = SocketPair.CreateDatagram();
        _kept.AddRange([first, second]);
        return (first.SafeHandle, second.SafeHandle);
    }

    private static async Task<Traces> PlayAsync(Scenario scenario, EpollKernel kernel)
    {
        var world = new World(scenario, kernel);
        try
        {
            return await world.PlayAsync().WaitAsync(Patience, kernel.Loop.TimeProvider);
        }
        catch (TimeoutException exception)
        {
            throw new PlayFailedException($"{scenario} did not end. So far:{Environment.NewLine}{world.TracesSoFar()}", exception);
        }
    }
}
