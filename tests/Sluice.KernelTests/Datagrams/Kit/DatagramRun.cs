using System.Net;
using System.Net.Sockets;
using Sluice.Backends.Epoll;
using Sluice.Native;

namespace Sluice.KernelTests.Datagrams.Kit;

/// <summary>A loop over epoll, endpoints on it and a folder for their files, for one test.</summary>
internal sealed class DatagramRun : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");

    private DatagramRun(EventLoop loop) => Loop = loop;

    public EventLoop Loop { get; }

    /// <summary>Runs a test on a loop, for a while at most.</summary>
    public static void OnLoop(Func<DatagramRun, Task> test, Syscalls? system = null, EventLoopOptions? options = null)
    {
        using var run = new DatagramRun(new EventLoop(new EpollBackend(system), options ?? new EventLoopOptions()));
        run.Loop.RunUntilComplete(() => test(run).WaitAsync(Patience));
    }

    public static EndPoint Any(AddressFamily family) => new IPEndPoint(family == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback, 0);

    public string PathOf(string name) => Path.Combine(_folder.FullName, name);

    public UnixDomainSocketEndPoint Named(string name) => new(PathOf(name));

    public async Task<Hearer> OpenAsync(EndPoint? local = null, EndPoint? remote = null, DatagramOptions? options = null, Hearer? hearer = null) =>
        (await Loop.CreateDatagramEndpointAsync(() => hearer ?? new Hearer(), local, remote, options)).Protocol;

    public static EndPoint NameOf(Hearer hearer) => hearer.Transport.GetExtraInfo(ExtraInfo.SocketName)!;

    public void Dispose()
    {
        Loop.Dispose();
        _folder.Delete(recursive: true);
    }
}
