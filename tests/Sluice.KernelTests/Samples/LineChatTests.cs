using System.Net;
using Sluice.KernelTests.Peers;

namespace Sluice.KernelTests.Samples;

/// <summary>The chat of samples/LineChat, talked to by nc, by CPython's asyncio, and by a bare socket that cuts lines as it likes.</summary>
public sealed class LineChatTests : IDisposable
{
    private const string Script = "asyncio_chat.py";
    private const string Welcome = ". Commands: /nick NAME, /who, /quit";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("sluice-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task What_one_types_into_nc_goes_to_the_others_with_its_nick(string family)
    {
        using var chat = Start(family);
        var arguments = NetcatArguments(await chat.ReadAddressAsync());
        using var alice = PeerProcess.Start("nc", arguments);
        Assert.Equal($"* You are guest1{Welcome}", await alice.ReadLineAsync());
        using var bob = PeerProcess.Start("nc", arguments);
        Assert.Equal($"* You are guest2{Welcome}", await bob.ReadLineAsync());
        Assert.Equal("* guest2 has joined", await alice.ReadLineAsync());

        await TypeAsync(alice, "/nick alice\n");
        Assert.Equal("* You are alice", await alice.ReadLineAsync());
        Assert.Equal("* guest1 is now alice", await bob.ReadLineAsync());
        await TypeAsync(bob, "/nick alice\n/who\n");
        Assert.Equal("* alice is taken", await bob.ReadLineAsync());
        Assert.Equal("* Here are alice, guest2", await bob.ReadLineAsync());
        await TypeAsync(alice, "Hello, Bob!\nHow are you?\n");
        Assert.Equal("alice: Hello, Bob!", await bob.ReadLineAsync());
        Assert.Equal("alice: How are you?", await bob.ReadLineAsync());
        await TypeAsync(bob, "/quit\n");
        Assert.Equal("* Goodbye.", await bob.ReadLineAsync());
        bob.Input.Close();
        Assert.Equal("", await bob.ReadToEndAsync());
        Assert.Equal("* guest2 has left", await alice.ReadLineAsync());

        await chat.InterruptAsync();
        alice.Input.Close();
        Assert.Equal("* The server closes. Goodbye.", await alice.ReadToEndAsync());
    }

    [Fact]
    public async Task A_line_may_come_in_pieces_and_many_at_once()
    {
        using var chat = Start("tcp");
        var address = IPEndPoint.Parse(await chat.ReadAddressAsync());
        using var listener = await ConnectAsync(address);
        using var talker = await ConnectAsync(address);
        Assert.Equal("* guest2 has joined", await listener.ReadLineAsync());

        // The answer to /who says that what follows it has been read as well: both came in one piece.
        await talker.WriteAsync("/who\none li");
        Assert.Equal("* Here are guest1, guest2", await talker.ReadLineAsync());
        await talker.WriteAsync("ne\r\ntwo\n\nthree\n/who\nthe en");
        Assert.Equal("* Here are guest1, guest2", await talker.ReadLineAsync());
        await talker.WriteAsync("d");
        talker.EndSending();

        Assert.Equal("guest2: one line", await listener.ReadLineAsync());
        Assert.Equal("guest2: two", await listener.ReadLineAsync());
        Assert.Equal("guest2: three", await listener.ReadLineAsync());
        Assert.Equal("guest2: the end", await listener.ReadLineAsync());
        Assert.Equal("* guest2 has left", await listener.ReadLineAsync());
        Assert.Equal("* Goodbye.", await talker.ReadLineAsync());
        await chat.InterruptAsync();
    }

    [Fact]
    public async Task The_longest_line_goes_through_and_a_longer_one_is_a_polite_end()
    {
        using var chat = Start("tcp");
        var address = IPEndPoint.Parse(await chat.ReadAddressAsync());
        using var listener = await ConnectAsync(address);
        using var talker = await ConnectAsync(address);
        Assert.Equal("* guest2 has joined", await listener.ReadLineAsync());

        await talker.WriteAsync($"{new string('a', 1024)}\n{new string('b', 1025)}");

        Assert.Equal("* A line may have 1024 bytes, yours has more. Goodbye.", await talker.ReadLineAsync());
        Assert.Null(await talker.ReadLineAsync());
        Assert.Equal($"guest2: {new string('a', 1024)}", await listener.ReadLineAsync());
        Assert.Equal("* guest2 has left", await listener.ReadLineAsync());
        await chat.InterruptAsync();
    }

    [Fact]
    public async Task Control_characters_do_not_reach_the_others_terminals()
    {
        using var chat = Start("tcp");
        var address = IPEndPoint.Parse(await chat.ReadAddressAsync());
        using var listener = await ConnectAsync(address);
        using var talker = await ConnectAsync(address);
        Assert.Equal("* guest2 has joined", await listener.ReadLineAsync());

        await talker.WriteAsync("a\tb\rguest9: \e[2Jc\n");

        Assert.Equal("guest2: a\tb?guest9: ?[2Jc", await listener.ReadLineAsync());
        await chat.InterruptAsync();
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("unix")]
    public async Task A_hundred_asyncio_clients_all_hear_each_other(string family)
    {
        using var chat = Start(family);
        using var clients = PeerProcess.Python(Script, "crowd", await chat.ReadAddressAsync(), "100");

        Assert.Equal($"heard {100 * 99}", await clients.ReadToEndAsync());
        await chat.InterruptAsync();
    }

    [Fact]
    public async Task A_client_that_does_not_read_costs_the_others_nothing_and_hears_what_it_missed()
    {
        const int Lines = 1500 * 32;
        using var chat = Start("tcp");
        var address = await chat.ReadAddressAsync();
        var before = chat.Memory;

        using var clients = PeerProcess.Python(Script, "slow", address);
        await chat.ReadLineAsync("slow PauseWriting: ");
        Assert.Equal($"heard {Lines}", await clients.ReadLineAsync());
        var growth = chat.PeakMemory - before;
        await TypeAsync(clients, "go\n");
        var words = (await clients.ReadToEndAsync()).Split(' ');
        var result = await chat.InterruptAsync();

        // "slow got N was told of M": 48 MB were said, and what it did not get was not kept for it.
        var (got, dropped) = (int.Parse(words[2]), int.Parse(words[^1]));
        Assert.Equal(Lines, got + dropped);
        Assert.InRange(dropped, Lines / 2, Lines);
        Assert.InRange(growth, 0, 24 * 1024 * 1024);
        Assert.Contains(result.Output, static line => line.StartsWith("slow ResumeWriting: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("127.0.0.1:65536")]
    [InlineData("127.0.0.1:1", "more")]
    public async Task A_wrong_address_gets_the_usage(params string[] arguments)
    {
        var result = await SampleProcess.RunAsync("LineChat", arguments);

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("usage: LineChat", Assert.Single(result.Errors));
    }

    private static async Task TypeAsync(PeerProcess peer, string text)
    {
        await peer.Input.WriteAsync(text);
        await peer.Input.FlushAsync();
    }

    private static string[] NetcatArguments(string address) =>
        address.StartsWith('/') ? ["-N", "-U", address] : ["-N", .. address.Split(':')];

    private static async Task<LineClient> ConnectAsync(IPEndPoint address)
    {
        var client = await LineClient.ConnectAsync(address);
        Assert.EndsWith(Welcome, await client.ReadLineAsync());
        return client;
    }

    private SampleProcess Start(string family) =>
        SampleProcess.Start("LineChat", family == "unix" ? $"unix:{Path.Combine(_directory.FullName, "chat")}" : "127.0.0.1:0");
}
