using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>Our transports against nc -N: plain bytes, and the end of its standard input as the end of the stream.</summary>
public sealed class NetcatTests
{
    [Fact]
    [Case("TCP-009")]
    public void Lines_typed_into_nc_come_back_one_by_one() => PeerRun.OnLoop(static async loop =>
    {
        var output = await PeerRun.ServeAsync(loop, RecordingProtocol.Echo(), static port => PeerProcess.Start("nc", "-N", "127.0.0.1", $"{port}"), static async nc =>
        {
            foreach (var line in (string[])["hello", "again"])
            {
                await nc.Input.WriteLineAsync(line);
                await nc.Input.FlushAsync();
                Assert.Equal(line, await nc.ReadLineAsync());
            }

            nc.Input.Close();
        });

        Assert.Empty(output);
    });

    [Fact]
    [Case("PROTO-002", "PROTO-006")]
    public void The_end_of_nc_s_input_is_the_end_of_the_stream() => PeerRun.OnLoop(static async loop =>
    {
        RecordingProtocol? counter = null;
        counter = new RecordingProtocol
        {
            OnEof = () =>
            {
                counter!.Transport.Write("counted"u8);
                return false;
            },
        };

        var output = await PeerRun.ServeAsync(loop, counter, static port => PeerProcess.Start("nc", "-N", "127.0.0.1", $"{port}"), static async nc =>
        {
            await nc.Input.WriteAsync("one\ntwo\n");
            nc.Input.Close();
        });

        Assert.Equal("counted", output);
        Assert.Equal("one\ntwo\n"u8.ToArray(), counter.Received.ToArray());
        Assert.Equal(["ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)"], counter.Record.Shape);
    });
}
