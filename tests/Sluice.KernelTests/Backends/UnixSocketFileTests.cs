using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Text;
using Microsoft.Extensions.Logging;
using Sluice.KernelTests.Backends.Kit;
using Sluice.KernelTests.Loops.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Backends;

/// <summary>The file of a listening Unix socket: who may connect, what is replaced, what is removed.</summary>
[SupportedOSPlatform("linux")]
public sealed class UnixSocketFileTests : IDisposable
{
    private readonly KernelBench _bench = new();
    private readonly string _path;

    public UnixSocketFileTests() => _path = _bench.PathOf("socket");

    public void Dispose() => _bench.Dispose();

    [Fact, Case("BUG-080")]
    public void The_file_belongs_to_its_owner_alone_unless_asked_otherwise()
    {
        var (first, _) = _bench.Listen(new UnixDomainSocketEndPoint(_path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_path));
        first.Close();
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        _bench.Listen(new UnixDomainSocketEndPoint(_path), new ServerOptions { UnixSocketMode = mode });
        Assert.Equal(mode, File.GetUnixFileMode(_path));
    }

    [Fact, Case("BUG-080")]
    public void The_mode_that_was_asked_for_is_the_files_whatever_the_umask_takes_away()
    {
        var mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        _bench.Listen(new UnixDomainSocketEndPoint(_path), new ServerOptions { UnixSocketMode = mode });
        Assert.Equal(mode, File.GetUnixFileMode(_path));
    }

    [Fact, Case("UNIX-007")]
    public void A_bind_that_fails_leaves_no_socket_open()
    {
        var system = new FaultySyscalls();
        using var bench = new KernelBench(system);
        Directory.CreateDirectory(_path);
        var name = new UnixDomainSocketEndPoint($"\0sluice-{Guid.NewGuid():N}");
        var (listener, _) = bench.Listen(name);
        var open = system.Opened.Count - system.Closed.Count(system.Opened.Contains);
        foreach (var address in (UnixDomainSocketEndPoint[])[new(_path), name, new(_path + "/missing/socket"), new("/proc/socket")])
        {
            Assert.Throws<SocketException>(() => bench.Listen(address));
        }

        Assert.True(system.Opened.Count > 4);
        listener.Close();
        Assert.Equal(1, open);
        Assert.All(system.Opened, fd => Assert.Contains(fd, system.Closed));
        Assert.Equal(system.Opened.Count, system.Closed.Count(system.Opened.Contains));
    }

    [Theory, Case("BUG-078")]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute, true)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite | UnixFileMode.StickyBit, false)]
    [InlineData(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead, false)]
    public void A_folder_that_everyone_may_write_to_is_warned_of_once(UnixFileMode mode, bool warns)
    {
        var folder = Directory.CreateDirectory(_path);
        File.SetUnixFileMode(folder.FullName, mode);
        var log = new LogRecorder();
        EventLoop.Run(
            async loop =>
            {
                await using var server = await loop.CreateUnixServerAsync(RecordingProtocol.Echo, Path.Combine(_path, "socket"));
                var (transport, _) = await loop.CreateUnixConnectionAsync(() => new RecordingProtocol(), Path.Combine(_path, "socket"));
                transport.Close();
            },
            new EventLoopOptions { Backend = LoopBackend.Epoll, Logger = log });
        if (warns) Assert.Contains(_path, Assert.Single(log.From(LogLevel.Warning)), StringComparison.Ordinal);
        else Assert.Empty(log.From(LogLevel.Warning));
    }

    [Fact]
    public void The_file_is_removed_at_the_close()
    {
        var (listener, _) = _bench.Listen(new UnixDomainSocketEndPoint(_path));
        Assert.True(File.Exists(_path));
        listener.Close();
        Assert.False(File.Exists(_path));
    }

    [Fact]
    public void The_file_is_removed_when_the_backend_is_disposed_of()
    {
        _bench.Listen(new UnixDomainSocketEndPoint(_path));
        _bench.Backend.Dispose();
        Assert.False(File.Exists(_path));
    }

    [Fact, Case("BUG-078")]
    public void A_live_listeners_path_is_not_taken()
    {
        var (_, sink) = _bench.Listen(new UnixDomainSocketEndPoint(_path));
        Refuses();
        _bench.Dial(new UnixDomainSocketEndPoint(_path));
        _bench.PollUntil(() => sink.Accepted.Count > 0);
    }

    [Fact]
    public void A_dead_listeners_file_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // .NET removes the file that it bound: this one has moved.
            dead.Bind(new UnixDomainSocketEndPoint(_bench.PathOf("dead")));
            File.Move(_bench.PathOf("dead"), _path);
        }

        Assert.True(File.Exists(_path));
        var (_, sink) = _bench.Listen(new UnixDomainSocketEndPoint(_path));
        _bench.Dial(new UnixDomainSocketEndPoint(_path));
        _bench.PollUntil(() => sink.Accepted.Count == 1);
    }

    [Fact]
    public void A_regular_file_a_folder_and_a_link_stay_what_they_are()
    {
        File.WriteAllText(_path, "precious");
        Refuses();
        Assert.Equal("precious", File.ReadAllText(_path));
        File.Delete(_path);

        Directory.CreateDirectory(_path);
        Refuses();
        Assert.True(Directory.Exists(_path));
        Directory.Delete(_path);

        File.CreateSymbolicLink(_path, "elsewhere");
        Refuses();
        Assert.Equal("elsewhere", new FileInfo(_path).LinkTarget);
    }

    [Fact, Case("BUG-079")]
    public void A_successors_file_is_not_removed()
    {
        var (listener, _) = _bench.Listen(new UnixDomainSocketEndPoint(_path));
        File.Move(_path, _bench.PathOf("moved"));
        File.WriteAllText(_path, "successor");
        listener.Close();
        Assert.Equal("successor", File.ReadAllText(_path));
    }

    [Fact, Case("BUG-081")]
    public void Paths_of_107_bytes_fit_and_longer_ones_are_refused()
    {
        var prefix = _bench.PathOf("");
        var longest = prefix + new string('p', 107 - Encoding.UTF8.GetByteCount(prefix));
        var (listener, _) = _bench.Listen(new UnixDomainSocketEndPoint(longest));
        Assert.Equal(longest, listener.LocalName.ToString());
        Assert.ThrowsAny<ArgumentException>(() => _bench.Listen(new UnixDomainSocketEndPoint(longest + "p")));
    }

    [Fact]
    public void An_abstract_name_needs_no_file_and_keeps_every_byte()
    {
        var name = "\0sluice-" + Guid.NewGuid().ToString("N") + "\0tail";
        var (listener, sink) = _bench.Listen(new UnixDomainSocketEndPoint(name));
        Assert.Equal(new UnixDomainSocketEndPoint(name), listener.LocalName);
        _bench.Dial(new UnixDomainSocketEndPoint(name));
        _bench.PollUntil(() => sink.Accepted.Count == 1);
        Assert.ThrowsAny<SocketException>(() => _bench.Dial(new UnixDomainSocketEndPoint(name[..^5])));
    }

    private void Refuses()
    {
        var exception = Assert.Throws<SocketException>(() => _bench.Listen(new UnixDomainSocketEndPoint(_path)));
        Assert.Equal(SocketError.AddressAlreadyInUse, exception.SocketErrorCode);
    }
}
