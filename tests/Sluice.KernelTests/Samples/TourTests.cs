using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Sluice.KernelTests.Samples;

/// <summary>The tour, run as the program that the readme names.</summary>
public sealed class TourTests
{
    [Fact]
    public async Task The_tour_ends_by_itself_and_counts_what_was_right()
    {
        var result = await SampleProcess.RunAsync("Tour");

        result.AssertSuccess();
        Assert.Equal("11 of 11 exchanges were right", result.Output[^1]);
    }

    [Fact]
    public async Task The_tour_shows_the_callbacks_of_each_side_in_order()
    {
        var result = await SampleProcess.RunAsync("Tour");

        var first = result.Output.SkipWhile(line => !line.StartsWith("1.", StringComparison.Ordinal)).TakeWhile(line => line.Length > 0).ToList();
        Assert.Equal(["ConnectionMade", "DataReceived", "Write", "Close", "ConnectionLost"], EventsOf("server", first));
        Assert.Equal(["ConnectionMade", "Write", "DataReceived", "EofReceived", "ConnectionLost"], EventsOf("client", first));
    }

    [Fact]
    public async Task An_unknown_argument_gets_the_usage()
    {
        var result = await SampleProcess.RunAsync("Tour", "--sevre");

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("usage: Tour", result.Errors[0]);
        Assert.Equal([""], result.Output);
    }

    [Theory]
    [InlineData("--port")]
    [InlineData("--serve", "--port", "65536")]
    [InlineData("--serve", "--port", "-1")]
    [InlineData("--serve", "--port")]
    public async Task A_wrong_port_gets_the_usage(params string[] arguments) =>
        Assert.Equal(2, (await SampleProcess.RunAsync("Tour", arguments)).ExitCode);

    [Fact]
    public async Task A_port_that_is_taken_is_one_line()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;

        var result = await SampleProcess.RunAsync("Tour", "--serve", "--port", $"{port}");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal($"tour: error while attempting to bind on address 127.0.0.1:{port}: Address already in use", Assert.Single(result.Errors));
        Assert.Equal([""], result.Output);
    }

    [Theory]
    [InlineData("   nc -N 127.0.0.1 ")]
    [InlineData("   nc -N -U ")]
    public async Task The_servers_talk_to_netcat_as_they_say(string advice)
    {
        var netcat = Peer.Find("nc", "netcat-openbsd");
        using var tour = SampleProcess.Start("Tour", "--serve", "--port", "0");
        var typed = (await tour.ReadLineAsync(advice)).Trim();

        var reply = await AskAsync(netcat, typed["nc ".Length..], "hello\nworld\n");
        tour.Interrupt();
        var result = await tour.EndAsync();

        Assert.Equal("hello\nworld\n", reply);
        result.AssertSuccess();
        Assert.Equal("Stopped", result.Output[^1]);
    }

    [Fact]
    public async Task An_interrupt_ends_the_servers_while_somebody_is_connected()
    {
        using var tour = SampleProcess.Start("Tour", "--serve", "--port", "0");
        var port = (await tour.ReadLineAsync("   nc -N 127.0.0.1 ")).Split(' ')[^1];
        var unixPath = (await tour.ReadLineAsync("   nc -N -U ")).Split(' ')[^1];
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, int.Parse(port));
        await tour.ReadLineAsync("   tcp      ConnectionMade");

        tour.Interrupt();
        var result = await tour.EndAsync();

        result.AssertSuccess();
        Assert.False(File.Exists(unixPath));
    }

    private static IEnumerable<string> EventsOf(string who, IEnumerable<string> lines) =>
        lines.Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(words => words[0] == who).Select(words => words[1]);

    private static async Task<string> AskAsync(string netcat, string arguments, string question)
    {
        using var process = Process.Start(new ProcessStartInfo(netcat, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await process.StandardInput.WriteAsync(question.AsMemory(), limit.Token);
        process.StandardInput.Close();
        var reply = await process.StandardOutput.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        return reply;
    }
}
