using Sluice.Testing;

namespace Sluice.KernelTests.Peers;

/// <summary>Our transports against those of CPython's asyncio.</summary>
public sealed class AsyncioPeerTests
{
    private const string Script = "asyncio_peer.py";

    [Fact]
    [Case("TCP-009", "TCP-022")]
    public void An_asyncio_client_gets_its_mebibyte_back() => PeerRun.OnLoop(static async loop =>
    {
        var echo = RecordingProtocol.Echo();

        var output = await PeerRun.ServeAsync(loop, echo, static port => PeerProcess.Python(Script, "connect", "ask", $"{port}"));

        Assert.Equal(PeerRun.Received(PeerRun.Mebibyte), output);
        Assert.Null(await echo.Lost);
    });

    [Fact]
    [Case("TCP-009", "TCP-022")]
    public void An_asyncio_server_sends_our_mebibyte_back() => PeerRun.OnLoop(static async loop =>
    {
        RecordingProtocol? asker = null;
        asker = new RecordingProtocol
        {
            OnMade = static transport => transport.Write(PeerRun.Mebibyte),
            OnData = _ =>
            {
                if (asker!.Received.Length == PeerRun.Mebibyte.Length) asker.Transport.Close();
            },
        };
        using var peer = PeerProcess.Python(Script, "serve", "echo");

        await PeerRun.ConnectAsync(loop, asker, peer);

        Assert.Equal(PeerRun.Mebibyte, asker.Received.ToArray());
        Assert.Null(await asker.Lost);
    });

    [Fact]
    [Case("TCP-019", "PROTO-006")]
    public void An_asyncio_client_that_ends_its_side_still_gets_the_answer() => PeerRun.OnLoop(static async loop =>
    {
        RecordingProtocol? server = null;
        server = new RecordingProtocol
        {
            OnEof = () =>
            {
                server!.Transport.Write(PeerRun.Mebibyte.AsSpan(0, 100_000));
                server.Transport.Write(PeerRun.Mebibyte.AsSpan(100_000));
                return false;
            },
        };

        var output = await PeerRun.ServeAsync(loop, server, static port => PeerProcess.Python(Script, "connect", "half_close", $"{port}"));

        Assert.Equal(PeerRun.Received(PeerRun.Mebibyte), output);
        Assert.Equal(PeerRun.Mebibyte, server.Received.ToArray());
        Assert.Null(await server.Lost);
    });

    [Fact]
    [Case("TCP-019", "PROTO-006")]
    public void We_still_get_an_asyncio_server_s_answer_after_ending_our_side() => PeerRun.OnLoop(static async loop =>
    {
        var client = new RecordingProtocol
        {
            OnMade = static transport =>
            {
                transport.Write(PeerRun.Mebibyte);
                transport.WriteEof();
            },
        };
        using var peer = PeerProcess.Python(Script, "serve", "answer_after_end");

        var output = await PeerRun.ConnectAsync(loop, client, peer);

        Assert.Equal(PeerRun.Received(PeerRun.Mebibyte), output);
        Assert.Equal(PeerRun.Mebibyte, client.Received.ToArray());
        Assert.Equal("ConnectionLost(null)", client.Trace[^1]);
        Assert.Equal("EofReceived", client.Trace[^2]);
    });

    [Fact]
    [Case("TCP-012")]
    public void An_asyncio_peer_sees_our_abort_as_a_reset() => PeerRun.OnLoop(static async loop =>
    {
        RecordingProtocol? server = null;
        server = new RecordingProtocol { OnData = _ => server!.Transport.Abort() };

        var output = await PeerRun.ServeAsync(loop, server, static port => PeerProcess.Python(Script, "connect", "wait_for_end", $"{port}"));

        Assert.Equal("failed ConnectionResetError", output);
        Assert.Null(await server.Lost);
    });

    [Fact]
    [Case("TCP-012")]
    public void We_see_an_asyncio_peer_s_reset_as_the_reason_of_the_loss() => PeerRun.OnLoop(static async loop =>
    {
        var client = new RecordingProtocol { OnMade = static transport => transport.Write("x"u8) };
        using var peer = PeerProcess.Python(Script, "serve", "reset");

        await PeerRun.ConnectAsync(loop, client, peer);

        Assert.Equal(["ConnectionMade", "ConnectionLost(SocketException ConnectionReset)"], client.Trace);
    });

    [Fact]
    [Case("BUG-012")]
    public void A_close_loses_nothing_to_a_peer_that_goes_on_talking() => PeerRun.OnLoop(static async loop =>
    {
        RecordingProtocol? server = null;
        server = new RecordingProtocol
        {
            OnData = _ =>
            {
                server!.Transport.Write(PeerRun.Mebibyte);
                server.Transport.Close();
            },
        };

        var output = await PeerRun.ServeAsync(loop, server, static port => PeerProcess.Python(Script, "connect", "talk_on", $"{port}"));

        Assert.Equal(PeerRun.Received(PeerRun.Mebibyte), output);
        Assert.Null(await server.Lost);
        Assert.DoesNotContain("EofReceived", server.Trace);
    });
}
