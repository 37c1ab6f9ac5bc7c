using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Sluice.KernelTests.Samples;

/// <summary>The samples do what they say when they are run as programs.</summary>
public sealed class SampleTests
{
    [Fact]
    public async Task The_echo_server_of_the_readme_echoes_until_it_is_interrupted()
    {
        using var server = SampleProcess.Start("Echo", "127.0.0.1:0");
        var address = IPEndPoint.Parse((await server.ReadLineAsync("Serving on "))["Serving on ".Length..]);

        using var client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(address);
        await client.SendAsync("hello"u8.ToArray());
        var reply = new byte[5];
        await new NetworkStream(client).ReadExactlyAsync(reply);
        client.Close();
        server.Interrupt();
        var result = await server.EndAsync();

        Assert.Equal("hello", Encoding.UTF8.GetString(reply));
        result.AssertSuccess();
    }

    [Fact]
    public void The_readme_shows_the_echo_server_as_it_is_built()
    {
        var program = SampleProcess.ReadFile("samples/Echo/Program.cs");

        Assert.Contains($"```csharp\n{program}```", SampleProcess.ReadFile("README.md"));
    }

    [Fact]
    public async Task The_tcp_echo_prints_what_asyncio_s_guide_prints()
    {
        var result = await SampleProcess.RunAsync("TcpEcho");

        result.AssertSuccess();
        Assert.Contains(result.Output, line => line.StartsWith("Connection from 127.0.0.1:", StringComparison.Ordinal));
        Assert.Contains("Data sent: 'Hello World!'", result.Output);
        Assert.Equal(
            [
                "Data received: 'Hello World!'",
                "Send: 'Hello World!'",
                "Close the client socket",
                "Data received: 'Hello World!'",
                "The server closed the connection",
            ],
            result.Output[2..]);
    }

    [Fact]
    public async Task The_tls_echo_says_what_protects_it_and_ends_in_order()
    {
        var result = await SampleProcess.RunAsync("TlsEcho");

        result.AssertSuccess();
        Assert.Equal(["Protected by Tls13, shown CN=localhost", "Data received: Hello, TLS!", "Closed in order"], result.Output);
    public async Task The_process_runner_asks_for_the_date_talks_and_sorts()
    {
        var result = await SampleProcess.RunAsync("RunProcess");

        result.AssertSuccess();
        Assert.Matches(@"^Today is \d{4}-\d\d-\d\d\.$", result.Output[0]);
        Assert.Equal(["date has ended with 0.", "sluice has 6 letters", "loop has 4 letters", "Asked to end, it ends with -15.", "Sorted: 8 9 10"], result.Output[1..]);
    }

    [Fact]
    public async Task The_tcp_echo_works_between_two_processes()
    {
        using var server = SampleProcess.Start("TcpEcho", "--server", "0");
        var port = (await server.ReadLineAsync("Serving on ")).Split(':')[1];

        var client = await SampleProcess.RunAsync("TcpEcho", "--client", port, "from afar");
        server.Interrupt();
        var served = await server.EndAsync();

        client.AssertSuccess();
        served.AssertSuccess();
        Assert.Equal(["Data sent: 'from afar'", "Data received: 'from afar'", "The server closed the connection"], client.Output);
        Assert.Equal("Stopped", served.Output[^1]);
    }

    [Fact]
    public async Task The_tcp_echo_explains_itself_where_it_does_not_understand()
    {
        var result = await SampleProcess.RunAsync("TcpEcho", "--server", "many");

        Assert.Equal(2, result.ExitCode);
        Assert.StartsWith("usage: TcpEcho", Assert.Single(result.Errors));
    }

    [Fact]
    public async Task The_udp_echo_prints_what_asyncio_s_guide_prints()
    {
        var result = await SampleProcess.RunAsync("UdpEcho");

        result.AssertSuccess();
        Assert.Equal("Send: 'Hello World!'", result.Output[0]);
        Assert.StartsWith("Received 'Hello World!' from 127.0.0.1:", result.Output[1]);
        Assert.Equal(["Received: 'Hello World!'"], result.Output[2..]);
    }

    [Fact]
    public async Task The_udp_echo_works_between_two_processes()
    {
        using var server = SampleProcess.Start("UdpEcho", "--server", "0");
        var port = (await server.ReadLineAsync("Serving on ")).Split(':')[1];

        var client = await SampleProcess.RunAsync("UdpEcho", "--client", port, "from afar");
        server.Interrupt();
        var served = await server.EndAsync();
        var unheard = await SampleProcess.RunAsync("UdpEcho", "--client", port, "anyone?");

        client.AssertSuccess();
        served.AssertSuccess();
        Assert.Equal(["Send: 'from afar'", "Received: 'from afar'"], client.Output);
        Assert.Equal("Stopped", served.Output[^1]);
        Assert.Equal(["Send: 'anyone?'", "Error received: Connection refused"], unheard.Output);
    }

    [Theory]
    [InlineData("ExistingSocket")]
    [InlineData("WatchDescriptor")]
    public async Task A_socket_that_exists_already_is_read(string sample)
    {
        var result = await SampleProcess.RunAsync(sample);

        result.AssertSuccess();
        Assert.Equal(["Received: abc"], result.Output);
    }

    [Fact]
    public async Task The_unix_echo_receives_into_its_own_buffer()
    {
        var result = await SampleProcess.RunAsync("UnixEcho");

        result.AssertSuccess();
        Assert.Contains("Server: 12 bytes in the buffer", result.Output);
        Assert.Contains("Client: received 'Hello World!'", result.Output);
    }

    [Fact]
    public async Task The_slow_reader_makes_its_sender_pause()
    {
        var result = await SampleProcess.RunAsync("SlowReader");

        result.AssertSuccess();
        Assert.Contains(result.Output, line => line.StartsWith("server  PauseWriting ", StringComparison.Ordinal));
        Assert.Contains(result.Output, line => line.StartsWith("server  ResumeWriting ", StringComparison.Ordinal));
        Assert.Equal("client  received 8,388,608 bytes", result.Output[^1]);
    }
}
