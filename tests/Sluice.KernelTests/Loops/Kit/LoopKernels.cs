using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Sluice.Testing;
using Sluice.Testing.Kernel;

namespace Sluice.KernelTests.Loops.Kit;

/// <summary>Loops, addresses and the passing of time, for tests that are the same on every kernel.</summary>
internal static class LoopKernels
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static EventLoop CreateLoop(this LoopKernel kernel, EventLoopOptions? options = null)
    {
        options ??= new EventLoopOptions();
        if (kernel == LoopKernel.Epoll) return new EventLoop(options);
        var network = new SimulatedNetwork(1, SimulationOptions.Faithful);
        return new EventLoop(new SimulatedBackend(network, "host", IPAddress.Parse("10.0.0.1")), options);
    }

    /// <summary>Runs a test on a loop of its own. A test that hangs fails: at once where time is simulated, else after a while.</summary>
    public static void Run(this LoopKernel kernel, Func<EventLoop, Task> test, EventLoopOptions? options = null)
    {
        using var loop = kernel.CreateLoop(options);
        loop.RunUntilComplete(() => test(loop).WaitAsync(Patience));
    }

    /// <summary>An address that nobody listens at, of a kind whose bytes travel without delay.</summary>
    public static EndPoint CreateAddress(this LoopKernel kernel) => kernel == LoopKernel.Epoll
        ? new IPEndPoint(IPAddress.Loopback, 0)
        : new UnixDomainSocketEndPoint("/simulated/listener");

    /// <summary>Lets time pass inside a callback, as a callback that computes for long does.</summary>
    public static void PassTime(this LoopKernel kernel, EventLoop loop, TimeSpan time)
    {
        var end = loop.Time + time;
        if (kernel == LoopKernel.Simulated) ((SimulatedBackend)loop.Core.Backend).Network.Clock.JumpTo(end);
        SpinWait.SpinUntil(() => loop.Time >= end);
    }

    /// <summary>Two connected sockets that no loop holds yet. They stay open as long as their owners live.</summary>
    public static (SafeHandle First, SafeHandle Second, object Owners) CreateStreamPair(this LoopKernel kernel, EventLoop loop)
    {
        if (kernel == LoopKernel.Epoll)
        {
            var (first, second) = SocketPair.Create();
            return (first.SafeHandle, second.SafeHandle, (first, second));
        }

        var handles = ((SimulatedBackend)loop.Core.Backend).CreateStreamPair();
        return (handles.First, handles.Second, handles);
    }

    /// <summary>More bytes than fit between a writer and a peer that does not read.</summary>
    public static int MoreThanItHolds(this LoopKernel kernel) => kernel == LoopKernel.Simulated ? 512 * 1024 : 16 * 1024 * 1024;

    /// <summary>Connects two protocols over a listener that is closed afterwards.</summary>
    public static async Task<(ITransport Client, ITransport Server)> ConnectAsync(
        this LoopKernel kernel, EventLoop loop, IProtocol<ITransport> client, RecordingProtocol server)
    {
        var listener = await loop.CreateServerAsync(() => server, kernel.CreateAddress());
        var (transport, _) = await loop.CreateConnectionAsync(() => client, listener.EndPoints[0]);
        await server.Made;
        listener.Close();
        return (transport, server.Transport);
    }
}
