using System.Net;
using System.Net.Security;
using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Tls.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls;

/// <summary>Our TLS against CPython's asyncio and ssl, in both roles and both versions.</summary>
public sealed class PythonTests : IDisposable
{
    private const string Script = "tls_peer.py";

    private readonly PemFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Theory, Case("TLS-001", "TLS-030", "TLS-034")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void An_asyncio_client_gets_its_mebibyte_back(string version) => PeerRun.OnLoop(async loop =>
    {
        var (echo, output) = await ServeAsync(loop, RecordingProtocol.Echo(), "ask", version);

        Assert.Equal(PeerRun.Received(PeerRun.Mebibyte), output);
        Assert.Null(await echo.Lost);
        Assert.Equal("EofReceived", echo.Trace[^2]);
    });

    [Theory, Case("TLS-001", "TLS-002", "TLS-029")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void An_asyncio_server_sends_our_mebibyte_back(string version) => PeerRun.OnLoop(async loop =>
    {
        var asker = new RecordingProtocol { OnMade = static transport => transport.Write(PeerRun.Mebibyte) };
        asker.OnData = _ =>
        {
            if (asker.Received.Length == PeerRun.Mebibyte.Length) asker.Transport.Close();
        };

        await ConnectAsync(loop, asker, "echo", version);

        Assert.Equal(PeerRun.Mebibyte, asker.Received.ToArray());
        Assert.Null(await asker.Lost);
    });

    [Theory, Case("TLS-008", "TLS-009")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void Both_roles_agree_with_CPython_on_version_application_protocol_and_certificates(string version) => PeerRun.OnLoop(async loop =>
    {
        var serving = TlsParties.ServerAuthentication(requires: true);
        serving.ApplicationProtocols = [new SslApplicationProtocol("sluice-test")];
        var server = new RecordingProtocol { OnMade = static transport => transport.Write("go"u8) };
        var (_, heard) = await ServeAsync(loop, server, "say_facts", version, new TlsServerOptions(serving));
        Assert.Equal($"TLSv{version} sluice-test server", heard);
        Assert.Equal("CN=client", server.Transport.GetExtraInfo(ExtraInfo.PeerCertificate)!.Subject);
        Assert.Equal("sluice-test", server.Transport.GetExtraInfo(ExtraInfo.ApplicationProtocol));

        var asking = TlsParties.ClientAuthentication();
        asking.ApplicationProtocols = [new SslApplicationProtocol("sluice-test")];
        var client = new RecordingProtocol { OnMade = static transport => transport.Write("go"u8) };
        heard = await ConnectAsync(loop, client, "say_facts", version, new TlsClientOptions(asking));
        Assert.Equal($"TLSv{version} sluice-test None", heard);
        Assert.Equal("CN=server", client.Transport.GetExtraInfo(ExtraInfo.PeerCertificate)!.Subject);
    });

    [Theory, Case("TLS-030", "BUG-056")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void A_goodbye_of_CPython_s_is_the_end_and_a_bare_end_is_a_truncation(string version) => PeerRun.OnLoop(async loop =>
    {
        var told = new RecordingProtocol();
        await ConnectAsync(loop, told, "send_and_close", version);
        Assert.Equal(PeerRun.Mebibyte, told.Received.ToArray());
        Assert.Equal("EofReceived", told.Trace[^2]);
        Assert.Null(await told.Lost);

        var untold = new RecordingProtocol();
        await ConnectAsync(loop, untold, "send_and_end", version);
        Assert.Equal("hello"u8.ToArray(), untold.Received.ToArray());
        Assert.DoesNotContain("EofReceived", untold.Trace);
        Assert.IsType<TlsTruncatedException>(await untold.Lost);

        var (server, _) = await ServeAsync(loop, new RecordingProtocol(), "send_and_end", version);
        Assert.Equal("hello"u8.ToArray(), server.Received.ToArray());
        Assert.DoesNotContain("EofReceived", server.Trace);
        Assert.IsType<TlsTruncatedException>(await server.Lost);
    });

    [Theory, Case("TLS-029", "TLS-034", "TLS-040")]
    [InlineData("1.2", true)]
    [InlineData("1.3", true)]
    [InlineData("1.2", false)]
    [InlineData("1.3", false)]
    public void CPython_sees_our_close_as_a_goodbye_behind_all_data_and_our_abort_as_none(string version, bool closes) => PeerRun.OnLoop(async loop =>
    {
        var server = new RecordingProtocol();
        server.OnData = _ =>
        {
            if (!closes)
            {
                server.Transport.Abort();
                return;
            }

            server.Transport.Write(PeerRun.Mebibyte);
            server.Transport.Close();
        };

        var (_, output) = await ServeAsync(loop, server, "strict", version);

        if (closes) Assert.Equal(PeerRun.Received(PeerRun.Mebibyte), output);
        else Assert.StartsWith("failed", output, StringComparison.Ordinal);
        Assert.Null(await server.Lost);
    });

    private async Task<(RecordingProtocol Protocol, string Output)> ServeAsync(
        EventLoop loop, RecordingProtocol protocol, string scenario, string version, TlsServerOptions? tls = null)
    {
        var served = await Served.StartAsync(loop, tls ?? TlsParties.Server(), () => protocol);
        using var peer = PeerProcess.Python(Script, "connect", scenario, _files.Path, version, $"{served.Port}");
        var output = await peer.ReadToEndAsync();
        await served.EndAsync();
        Assert.Single(served.Protocols);
        return (protocol, output);
    }

    private async Task<string> ConnectAsync(EventLoop loop, RecordingProtocol protocol, string scenario, string version, TlsClientOptions? tls = null)
    {
        using var peer = PeerProcess.Python(Script, "serve", scenario, _files.Path, version);
        var port = await peer.ReadPortAsync();
        await loop.CreateConnectionAsync(() => protocol, new IPEndPoint(IPAddress.Loopback, port), new ConnectionOptions { Tls = tls ?? TlsParties.Client() });
        await protocol.Lost;
        Assert.Empty(protocol.Violations);
        return await peer.ReadToEndAsync();
    }
}
