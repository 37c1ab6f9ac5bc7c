using System.Net;
using System.Net.Sockets;
using Sluice.KernelTests.Peers;

namespace Sluice.KernelTests.Samples;

/// <summary>The forwarder of samples/PortForward between curl, nc, CPython and bare sockets.</summary>
public sealed class PortForwardTests : IDisposable
{
    private const string Script = "asyncio_forward.py";
    private const string AnyPort = "127.0.0.1:0";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("sluice-");

    private string UnixPath => Path.Combine(_directory.FullName, "forward");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Curl_gets_a_page_through_a_unix_socket()
    {
        var page = string.Concat(Enumerable.Range(0, 100_000).Select(static number => $"{number}\n"));
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "page.txt"), page);
        using var http = PeerProcess.Start("python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", _directory.FullName);
        var port = (await http.ReadLineAsync()).Split(' ')[5]; // Serving HTTP on 127.0.0.1 port N ...
        using var forward = SampleProcess.Start("PortForward", $"unix:{UnixPath}", $"127.0.0.1:{port}");
        await forward.ReadAddressAsync();

        using var curl = PeerProcess.Start("curl", "--silent", "--show-error", "--unix-socket", UnixPath, "http://anywhere/page.txt");

        Assert.Equal(page.TrimEnd(), await curl.ReadToEndAsync());
        await forward.InterruptAsync();
        Assert.False(File.Exists(UnixPath));
    }

    [Fact]
    public async Task An_answer_that_comes_after_nc_has_ended_its_side_arrives()
    {
        using var target = PeerProcess.Python("asyncio_peer.py", "serve", "count_after_end");
        using var forward = SampleProcess.Start("PortForward", AnyPort, $"127.0.0.1:{await target.ReadPortAsync()}");

        using var nc = PeerProcess.Start("nc", ["-N", .. (await forward.ReadAddressAsync()).Split(':')]);
        await nc.Input.WriteAsync("one\ntwo\n");
        nc.Input.Close();

        Assert.Equal("8 bytes", await nc.ReadToEndAsync());
        Assert.Equal("", await target.ReadToEndAsync());
        await forward.InterruptAsync();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task What_is_sent_after_the_target_has_ended_its_side_arrives(string family)
    {
        string[] address = family == "unix" ? ["-U", Path.Combine(_directory.FullName, "target")] : ["127.0.0.1", "0"];
        using var nc = PeerProcess.Start("sh", ["-c", "exec \"$@\" 2>&1", "sh", Peer.Find("nc", "netcat-openbsd"), "-N", "-l", "-v", .. address]);
        if (family == "unix") await nc.ReadLineAsync(); // Bound on PATH
        var where = (await nc.ReadLineAsync()).Split(' ')[^1]; // Listening on localhost N, or on PATH
        using var forward = SampleProcess.Start("PortForward", AnyPort, family == "unix" ? $"unix:{where}" : $"127.0.0.1:{where}");
        using var client = await LineClient.ConnectAsync(IPEndPoint.Parse(await forward.ReadAddressAsync()));

        Assert.StartsWith("Connection received on ", await nc.ReadLineAsync());
        await nc.Input.WriteAsync("go on\n");
        nc.Input.Close();
        Assert.Equal("go on", await client.ReadLineAsync());
        Assert.Null(await client.ReadLineAsync());
        await client.WriteAsync("after your end");
        client.EndSending();

        Assert.Equal("after your end", await nc.ReadToEndAsync());
        await forward.InterruptAsync();
    }

    [Fact]
    public async Task What_comes_before_the_target_is_connected_waits_for_it()
    {
        // The one place in the listener's queue is taken: until somebody is accepted, the kernel lets the forwarder wait for its connection.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        using var first = await LineClient.ConnectAsync(listener.LocalEndPoint!);
        using var forward = SampleProcess.Start("PortForward", AnyPort, $"{listener.LocalEndPoint}");
        using var client = await LineClient.ConnectAsync(IPEndPoint.Parse(await forward.ReadAddressAsync()));

        await client.WriteAsync("early\n");
        client.EndSending();
        await forward.ReadLineAsync("accepted: ");
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var ofFirst = await listener.AcceptAsync(limit.Token);
        using var target = await listener.AcceptAsync(limit.Token);
        var received = await new StreamReader(new NetworkStream(target)).ReadToEndAsync(limit.Token);

        Assert.Equal("early\n", received);
        await forward.InterruptAsync();
    }

    [Theory]
    [InlineData("tcp", "tcp")]
    [InlineData("tcp", "unix")]
    [InlineData("unix", "tcp")]
    [InlineData("unix", "unix")]
    public async Task Sixteen_mebibytes_go_each_way_at_once(string from, string to)
    {
        using var peers = PeerProcess.Python(Script, "exchange", to == "unix" ? Path.Combine(_directory.FullName, "target") : AnyPort);
        using var forward = await ForwardAsync(peers, from);

        var facts = await ReadFactsAsync(peers);

        Assert.StartsWith("16777216 ", facts["client sent"]);
        Assert.Equal(facts["client sent"], facts["target received"]);
        Assert.StartsWith("16777216 ", facts["target sent"]);
        Assert.Equal(facts["target sent"], facts["client received"]);
        await forward.ReadLineAsync("lost: "); // and both are gone, before the interrupt
        await forward.ReadLineAsync("lost: ");
        await forward.InterruptAsync();
    }

    [Fact]
    public async Task A_target_that_does_not_read_stops_its_client_and_nobody_else()
    {
        const int Mebibyte = 1 << 20;
        using var peers = PeerProcess.Python(Script, "slow", AnyPort);
        using var forward = await ForwardAsync(peers, "tcp");
        var before = forward.Memory;

        // The line that the forwarder prints when it stops to read; then others talk, so that a client that was not stopped would send on.
        await forward.ReadLineAsync("target PauseWriting: ");
        await TypeAsync(peers, "how much?");
        var taken = long.Parse((await peers.ReadLineAsync())["taken ".Length..]);
        await TypeAsync(peers, "read on");
        var facts = await ReadFactsAsync(peers);
        var growth = forward.PeakMemory - before;
        await forward.InterruptAsync();

        Assert.InRange(taken, 0, 64 * Mebibyte); // what the kernel's buffers take, and no more
        Assert.StartsWith($"{128 * Mebibyte} ", facts["client sent"]);
        Assert.Equal(facts["client sent"], facts["target received"]);
        Assert.InRange(growth, 0, 24 * Mebibyte);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_client_is_closed_where_the_target_is_down(string family)
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound and not listening: nobody else can have the port
        using var forward = SampleProcess.Start("PortForward", AnyPort, family == "unix" ? $"unix:{UnixPath}" : $"{closed.LocalEndPoint}");
        using var client = await LineClient.ConnectAsync(IPEndPoint.Parse(await forward.ReadAddressAsync()));

        await client.WriteAsync("anybody?\n");

        Assert.Null(await client.ReadLineAsync());
        await forward.ReadLineAsync("refused: client ");
        await forward.InterruptAsync();
    }

    [Fact]
    public async Task A_reset_of_the_target_resets_the_client()
    {
        using var target = PeerProcess.Python("asyncio_peer.py", "serve", "reset");
        using var forward = SampleProcess.Start("PortForward", AnyPort, $"127.0.0.1:{await target.ReadPortAsync()}");
        using var client = await LineClient.ConnectAsync(IPEndPoint.Parse(await forward.ReadAddressAsync()));

        await client.WriteAsync("x");

        var end = await Assert.ThrowsAsync<IOException>(client.ReadLineAsync);
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(end.InnerException).SocketErrorCode);
        await forward.InterruptAsync();
    }

    [Fact]
    public async Task A_reset_of_the_client_resets_the_target()
    {
        using var target = PeerProcess.Python("asyncio_peer.py", "serve", "wait_for_end");
        using var forward = SampleProcess.Start("PortForward", AnyPort, $"127.0.0.1:{await target.ReadPortAsync()}");
        using var client = await LineClient.ConnectAsync(IPEndPoint.Parse(await forward.ReadAddressAsync()));
        await forward.ReadLineAsync("connected: ");

        client.Reset();

        Assert.Equal("failed ConnectionResetError", await target.ReadToEndAsync());
        await forward.InterruptAsync();
    }

    [Theory]
    [InlineData]
    [InlineData("127.0.0.1:1")]
    [InlineData("127.0.0.1:1", "unix:")]
    [InlineData("127.0.0.1:x", "127.0.0.1:1")]
    public async Task A_wrong_address_gets_the_usage(params string[] arguments)
    {
        var result = await SampleProcess.RunAsync("PortForward", arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("usage: PortForward", Assert.Single(result.Errors));
    }

    private static async Task TypeAsync(PeerProcess peer, string line)
    {
        await peer.Input.WriteLineAsync(line);
        await peer.Input.FlushAsync();
    }

    /// <summary>What a script has said of who sent and received: size and SHA-256 by "client sent" and the like.</summary>
    private static async Task<Dictionary<string, string>> ReadFactsAsync(PeerProcess peers) =>
        (await peers.ReadToEndAsync()).Split('\n').Select(static line => line.Split(' ', 3)).ToDictionary(static words => $"{words[0]} {words[1]}", static words => words[2]);

    /// <summary>Starts the forwarder in front of the target that a script has said it serves, and tells the script where it is.</summary>
    private async Task<SampleProcess> ForwardAsync(PeerProcess peers, string from)
    {
        var target = (await peers.ReadLineAsync())["at ".Length..];
        var forward = SampleProcess.Start("PortForward", from == "unix" ? $"unix:{UnixPath}" : AnyPort, target.StartsWith('/') ? $"unix:{target}" : target);
        await TypeAsync(peers, await forward.ReadAddressAsync());
        return forward;
    }
}
