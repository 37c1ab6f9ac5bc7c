using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sluice.KernelTests.Peers;

/// <summary>Programs that are started with listening sockets, by a launcher of our own and by systemd's. See tests/Programs/LoopPrograms.</summary>
public sealed class ActivationTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sluice-");

    private string UnixPath => Path.Combine(_folder.FullName, "socket");

    private static string Dotnet =>
        Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";

    private static string LoopPrograms => Path.Combine(AppContext.BaseDirectory, "Sluice.LoopPrograms.dll");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact, Case("UNIX-026", "BUG-013", "BUG-079")]
    public async Task Two_names_are_served_twice_and_the_sockets_stay_as_they_were()
    {
        using var launcher = Launch("front:back", $"tcp,unix:{UnixPath}", "activated", "front", "back");
        var tcp = new IPEndPoint(IPAddress.Loopback, await launcher.ReadPortAsync());
        var unix = new UnixDomainSocketEndPoint(UnixPath);
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal("serving 1 1", await launcher.ReadLineAsync());
            Assert.Equal("front hello", Ask(tcp, "hello"));
            Assert.Equal("back hello", Ask(unix, "hello"));
            Assert.Equal("back quit", Ask(unix, "quit"));
        }

        Assert.Equal("child: 0", await launcher.ReadLineAsync());
        Assert.Equal("exit 0", await launcher.ReadLineAsync());

        // The one change, which the guide owns up to.
        Assert.Equal($"tcp O_NONBLOCK: False -> True; unix:{UnixPath} O_NONBLOCK: False -> True", await launcher.ReadToEndAsync());
        Assert.True(File.Exists(UnixPath));
    }

    [Fact, Case("UNIX-026")]
    public async Task Without_a_name_all_sockets_are_served()
    {
        using var launcher = Launch("-", $"tcp,unix:{UnixPath}", "activated", "all");
        var tcp = new IPEndPoint(IPAddress.Loopback, await launcher.ReadPortAsync());
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal("serving 2", await launcher.ReadLineAsync());
            Assert.Equal("all hello", Ask(new UnixDomainSocketEndPoint(UnixPath), "hello"));
            Assert.Equal("all quit", Ask(tcp, "quit"));
        }

        Assert.Contains("exit 0", await launcher.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Theory, Case("UNIX-026")]
    [InlineData("a", "datagram", null, "is no stream socket")]
    [InlineData("a", "connected", null, "does not listen")]
    [InlineData("a", "file", null, "is no socket")]
    [InlineData("b", "tcp", null, "No socket named \"a\" was handed over; there are: b.")]
    [InlineData("a:b", "tcp", null, "LISTEN_FDNAMES has 2 names for 1 sockets")]
    [InlineData("a", "tcp", "--pid=1", "The sockets are for process 1 (LISTEN_PID)")]
    [InlineData("a", "tcp", "--pid=one", "LISTEN_PID is \"one\"")]
    [InlineData("a", "tcp", "--fds=0", "LISTEN_FDS is \"0\"")]
    [InlineData("a", "tcp", "--fds=2147483647", "LISTEN_FDS is \"2147483647\"")]
    [InlineData("-", "tcp", "--fds=900", "LISTEN_FDS promises 900 sockets")]
    public async Task What_is_not_in_order_is_refused_with_the_reason(string names, string kinds, string? lie, string reason)
    {
        using var launcher = Launch(names, kinds, lie, "activated", "a");
        if (kinds == "tcp") await launcher.ReadPortAsync();
        var answer = await launcher.ReadLineAsync();
        Assert.StartsWith("refused: ", answer, StringComparison.Ordinal);
        Assert.Contains(reason, answer, StringComparison.Ordinal);
        Assert.Equal("exit 3\nunchanged", await launcher.ReadToEndAsync());
    }

    [Theory, Case("UNIX-026")]
    [InlineData("a", null, "a", "True")]
    [InlineData("a", null, "b", "False")]
    [InlineData("a", "--pid=1", "a", "False")]
    [InlineData("a", "--fds=none", "a", "refused: ")]
    public async Task A_program_that_runs_both_ways_can_ask(string names, string? lie, string name, string answer)
    {
        using var launcher = Launch(names, "tcp", lie, "activated-perhaps", name);
        await launcher.ReadPortAsync();
        Assert.StartsWith(answer, await launcher.ReadLineAsync(), StringComparison.Ordinal);
    }

    [Fact, Case("UNIX-026")]
    public async Task A_program_that_was_started_by_hand_is_told_so()
    {
        using var program = PeerProcess.Start(Dotnet == "dotnet" ? "dotnet" : Path.GetFileName(Dotnet), LoopPrograms, "activated", "all");
        Assert.Contains("LISTEN_PID and LISTEN_FDS are not set", await program.ReadLineAsync(), StringComparison.Ordinal);
        using var other = PeerProcess.Start("dotnet", LoopPrograms, "activated-perhaps");
        Assert.Equal("False", await other.ReadToEndAsync());
    }

    [Fact, Case("UNIX-026")]
    public async Task Systemds_own_launcher_starts_it_at_the_first_connection()
    {
        Peer.Find("systemd-socket-activate", "systemd");
        using var launcher = PeerProcess.Start("systemd-socket-activate", "--listen=" + UnixPath, "--fdname=front", Peer.Find("dotnet"), LoopPrograms, "activated", "front");
        while (!Listens(UnixPath)) await Task.Yield();
        for (var round = 0; round < 2; round++)
        {
            Assert.Equal("front quit", Ask(new UnixDomainSocketEndPoint(UnixPath), "quit"));
            Assert.Equal("serving 1", await launcher.ReadLineAsync());
        }

        Assert.Equal("child: 0", await launcher.ReadToEndAsync());
    }

    private static PeerProcess Launch(string names, string kinds, params string?[] program)
    {
        var lies = program.TakeWhile(static part => part is null || part.StartsWith("--", StringComparison.Ordinal)).ToArray();
        return PeerProcess.Python(
            "activate.py", [names, kinds, .. lies.OfType<string>(), "--", Peer.Find("dotnet"), LoopPrograms, .. program[lies.Length..].OfType<string>()]);
    }

    // /proc/net/unix: the fourth column is 00010000 for a socket that listens, the last is its path. To connect would start the program.
    private static bool Listens(string path) =>
        File.ReadLines("/proc/net/unix").Any(line => line.Contains(" 00010000 ", StringComparison.Ordinal) && line.EndsWith(" " + path, StringComparison.Ordinal));

    private static string Ask(EndPoint address, string question)
    {
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 30_000 };
        socket.Connect(address);
        socket.Send(Encoding.UTF8.GetBytes(question));
        var answer = new StringBuilder();
        var buffer = new byte[100];
        for (var count = socket.Receive(buffer); count > 0; count = socket.Receive(buffer)) answer.Append(Encoding.UTF8.GetString(buffer, 0, count));
        return answer.ToString();
    }
}
