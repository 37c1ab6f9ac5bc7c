using System.Net.Sockets;
using Sluice.Backends;
using Sluice.Backends.Epoll;
using Sluice.KernelTests.Backends.Kit;

namespace Sluice.KernelTests.Backends;

/// <summary>One path and several servers, or several working directories. The latter are the process's, hence alone.</summary>
[Collection(nameof(CostTests))]
public sealed class UnixPathTests : IDisposable
{
    private const int Starters = 3;
    private const int Rounds = 200;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");

    private string SocketPath => Path.Combine(_folder.FullName, "socket");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory, Case("BUG-078", "UNIX-001")]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_servers_that_start_at_once_on_a_dead_ones_path_exactly_one_wins(bool listensLater)
    {
        for (var round = 0; round < Rounds; round++)
        {
            LeaveStaleSocket();
            var backends = Enumerable.Range(0, Starters).Select(static _ => new EpollBackend()).ToArray();
            var won = new ListenChannel?[Starters];
            var lost = new SocketException?[Starters];
            StartTogether(i =>
            {
                try
                {
                    var listener = backends[i].Listen(new UnixDomainSocketEndPoint(SocketPath), ServerOptions.Default, new RecordingListenSink());
                    if (!listensLater) listener.StartAccepting();
                    won[i] = listener;
                }
                catch (SocketException exception)
                {
                    lost[i] = exception;
                }
            });

            var winner = Assert.Single(won.OfType<ListenChannel>());
            Assert.Equal(Starters - 1, lost.Count(static loss => loss?.SocketErrorCode == SocketError.AddressAlreadyInUse));
            winner.StartAccepting();
            using (var peer = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)) peer.Connect(new UnixDomainSocketEndPoint(SocketPath));
            Assert.Equal([SocketPath], Directory.GetFileSystemEntries(_folder.FullName));
            foreach (var backend in backends) backend.Dispose();
            Assert.Empty(Directory.GetFileSystemEntries(_folder.FullName));
        }
    }

    [Fact, Case("BUG-078")]
    public void Two_ways_to_spell_a_path_are_one_path()
    {
        using var bench = new KernelBench();
        var linked = bench.PathOf("link");
        File.CreateSymbolicLink(linked, _folder.FullName);
        var first = bench.Backend.Listen(new UnixDomainSocketEndPoint(SocketPath), ServerOptions.Default, new RecordingListenSink());

        var taken = Assert.Throws<SocketException>(() => bench.Listen(new UnixDomainSocketEndPoint(linked + "/./socket")));

        Assert.Equal(SocketError.AddressAlreadyInUse, taken.SocketErrorCode);
        first.StartAccepting();
        bench.Dial(new UnixDomainSocketEndPoint(SocketPath));
    }

    [Fact, Case("BUG-078", "BUG-079")]
    public void A_path_through_a_link_and_back_out_of_it_is_read_as_the_kernel_reads_it()
    {
        using var bench = new KernelBench();
        _folder.CreateSubdirectory("real").CreateSubdirectory("deep");
        File.CreateSymbolicLink(bench.PathOf("link"), Path.Combine(_folder.FullName, "real", "deep"));
        var real = Path.Combine(_folder.FullName, "real", "socket");
        var first = bench.Backend.Listen(new UnixDomainSocketEndPoint(bench.PathOf("link/../socket")), ServerOptions.Default, new RecordingListenSink());
        Assert.True(File.Exists(real));

        Assert.Equal(
            SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => bench.Listen(new UnixDomainSocketEndPoint(real))).SocketErrorCode);

        first.Close();
        Assert.False(File.Exists(real));
    }

    [Fact, Case("BUG-079")]
    public void The_file_of_a_relative_path_is_removed_from_where_it_was_made()
    {
        var here = Environment.CurrentDirectory;
        using var bench = new KernelBench();
        try
        {
            Environment.CurrentDirectory = _folder.FullName;
            var (listener, _) = bench.Listen(new UnixDomainSocketEndPoint("socket"));
            Environment.CurrentDirectory = "/";
            Assert.True(File.Exists(SocketPath));
            listener.Close();
        }
        finally
        {
            Environment.CurrentDirectory = here;
        }

        Assert.False(File.Exists(SocketPath));
    }

    private static void StartTogether(Action<int> start)
    {
        using var line = new Barrier(Starters);
        var threads = Enumerable.Range(0, Starters).Select(i => new Thread(() =>
        {
            line.SignalAndWait();
            start(i);
        })).ToList();
        threads.ForEach(static thread => thread.Start());
        threads.ForEach(static thread => thread.Join());
    }

    // .NET removes the file that a Socket has bound: this one has moved.
    private void LeaveStaleSocket()
    {
        var elsewhere = Path.Combine(_folder.FullName, "dead");
        using var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        dead.Bind(new UnixDomainSocketEndPoint(elsewhere));
        File.Move(elsewhere, SocketPath);
    }
}
