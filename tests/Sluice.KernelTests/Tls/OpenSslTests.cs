using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Tls.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls;

/// <summary>Our TLS against OpenSSL's own programs, in both roles and both versions.</summary>
public sealed class OpenSslTests : IDisposable
{
    private readonly PemFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Theory, Case("TLS-001", "TLS-007", "TLS-008", "TLS-009", "TLS-030")]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Lines_typed_into_s_client_come_back_and_its_goodbye_is_the_end(SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        var served = await Served.StartAsync(loop, TlsParties.Server());
        var next = served.NextAsync();
        using var client = OpenSsl.Connect(served.Port, _files, version);

        await client.Input.WriteLineAsync("hello");
        await client.Input.FlushAsync();
        Assert.Equal("hello", await client.ReadLineAsync());
        var echo = await next;
        Assert.Equal(version, echo.Transport.GetExtraInfo(ExtraInfo.Cipher)!.Protocol);
        Assert.Equal(TlsParties.Host, echo.Transport.GetExtraInfo(ExtraInfo.ServerName));
        Assert.Null(echo.Transport.GetExtraInfo(ExtraInfo.PeerCertificate));
        client.Input.Close();

        Assert.Empty(await client.ReadToEndAsync());
        Assert.Null(await echo.Lost);
        Assert.Equal(["ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost(null)"], echo.Record.Shape);
        await served.EndAsync();
    });

    [Theory, Case("TLS-001", "TLS-002", "TLS-007", "TLS-029")]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void S_server_reverses_our_line_and_answers_our_goodbye(SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        var (server, port) = await OpenSsl.ServeAsync(_files.Server, version, "-rev");
        using var peer = server;
        var (transport, client) = await ConnectAsync(loop, port);

        transport.Write("hello\n"u8);
        await client.WaitForBytesAsync(6);
        Assert.Equal("olleh\n"u8.ToArray(), client.Received.ToArray());
        Assert.Equal(version, transport.GetExtraInfo(ExtraInfo.Cipher)!.Protocol);
        Assert.Equal("CN=server", transport.GetExtraInfo(ExtraInfo.PeerCertificate)!.Subject);
        transport.Close();

        Assert.Null(await client.Lost);
        await peer.ReadToEndAsync();
        Assert.Empty(client.Violations);
    });

    [Theory, Case("BUG-056")]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void An_s_client_that_is_killed_has_not_said_goodbye(SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        var served = await Served.StartAsync(loop, TlsParties.Server());
        var next = served.NextAsync();
        using var client = OpenSsl.Connect(served.Port, _files, version);
        await client.Input.WriteLineAsync("hello");
        await client.Input.FlushAsync();
        Assert.Equal("hello", await client.ReadLineAsync());
        var echo = await next;

        await client.KillAsync();

        Assert.IsType<TlsTruncatedException>(await echo.Lost);
        Assert.DoesNotContain("EofReceived", echo.Trace);
        await served.EndAsync();
    });

    [Theory, Case("BUG-056")]
    [InlineData(SslProtocols.Tls12, false)]
    [InlineData(SslProtocols.Tls13, false)]
    [InlineData(SslProtocols.Tls12, true)]
    [InlineData(SslProtocols.Tls13, true)]
    public void An_s_server_that_is_killed_has_not_said_goodbye(SslProtocols version, bool allowed) => PeerRun.OnLoop(async loop =>
    {
        var (server, port) = await OpenSsl.ServeAsync(_files.Server, version, "-rev");
        using var peer = server;
        var (transport, client) = await ConnectAsync(loop, port, TlsParties.Client() with { AllowTruncation = allowed });
        transport.Write("hello\n"u8);
        await client.WaitForBytesAsync(6);

        await peer.KillAsync();

        var reason = await client.Lost;
        if (allowed) Assert.Null(reason);
        else Assert.IsType<TlsTruncatedException>(reason);
        Assert.Equal(allowed, client.Trace.Contains("EofReceived"));
        Assert.Empty(client.Violations);
    });

    [Theory, Case("TLS-008")]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Both_roles_agree_with_OpenSSL_on_an_application_protocol(SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        var offered = TlsParties.ServerAuthentication();
        offered.ApplicationProtocols = [new SslApplicationProtocol("old"), SslApplicationProtocol.Http11];
        var served = await Served.StartAsync(loop, new TlsServerOptions(offered));
        var next = served.NextAsync();
        using (var client = OpenSsl.Connect(served.Port, _files, version, "-alpn", "new,http/1.1"))
        {
            var echo = await next;
            Assert.Equal("http/1.1", echo.Transport.GetExtraInfo(ExtraInfo.ApplicationProtocol));
            client.Input.Close();
            await client.ReadToEndAsync();
        }

        await served.EndAsync();

        var (server, port) = await OpenSsl.ServeAsync(_files.Server, version, "-rev", "-alpn", "old,http/1.1");
        using var peer = server;
        var wanted = TlsParties.ClientAuthentication();
        wanted.ApplicationProtocols = [new SslApplicationProtocol("new"), SslApplicationProtocol.Http11];
        var (transport, ours) = await ConnectAsync(loop, port, new TlsClientOptions(wanted));
        Assert.Equal("http/1.1", transport.GetExtraInfo(ExtraInfo.ApplicationProtocol));
        transport.Close();
        await ours.Lost;
        await peer.ReadToEndAsync();
    });

    [Theory, Case("TLS-007", "TLS-008")]
    [InlineData(SslProtocols.Tls12)]
    [InlineData(SslProtocols.Tls13)]
    public void Client_certificates_are_shown_and_seen(SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        var served = await Served.StartAsync(loop, TlsParties.Server(requires: true));
        var next = served.NextAsync();
        using (var client = OpenSsl.Connect(served.Port, _files, version, "-cert", _files.Client, "-key", _files.Client))
        {
            Assert.Equal("CN=client", (await next).Transport.GetExtraInfo(ExtraInfo.PeerCertificate)!.Subject);
            client.Input.Close();
            await client.ReadToEndAsync();
        }

        await served.EndAsync();

        var (server, port) = await OpenSsl.ServeAsync(_files.Server, version, "-rev", "-CAfile", _files.Root, "-Verify", "1", "-verify_return_error");
        using var peer = server;
        var (transport, ours) = await ConnectAsync(loop, port, TlsParties.Client(certificate: TlsParties.ClientCertificate));
        transport.Write("hello\n"u8);
        await ours.WaitForBytesAsync(6);
        transport.Close();
        await ours.Lost;
        await peer.ReadToEndAsync();
    });

    [Theory, Case("TLS-005", "TLS-018", "BUG-006", "BUG-055")]
    [InlineData(SslProtocols.Tls12, "-CAfile", "/dev/null")]
    [InlineData(SslProtocols.Tls13, "-CAfile", "/dev/null")]
    [InlineData(SslProtocols.Tls12, "-verify_hostname", "elsewhere")]
    [InlineData(SslProtocols.Tls13, "-verify_hostname", "elsewhere")]
    [InlineData(SslProtocols.Tls12, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")]
    [InlineData(SslProtocols.Tls12, "-cipher", "DES-CBC3-SHA")]
    public void A_client_that_OpenSSL_turns_away_is_no_connection_for_the_server(SslProtocols version, params string[] arguments) => PeerRun.OnLoop(async loop =>
    {
        var served = await Served.StartAsync(loop, TlsParties.Server());
        using var client = OpenSsl.Connect(served.Port, _files, version, arguments);

        Assert.NotEqual(0, await client.ExitAsync());

        // Whose bytes came after the end of the first.
        var (transport, ours) = await ConnectAsync(loop, served.Port);
        transport.Write("hello"u8);
        await ours.WaitForBytesAsync(5);
        transport.Close();
        await ours.Lost;
        await served.EndAsync();
        Assert.Single(served.Protocols);
    });

    private static Task<(ITransport Transport, RecordingProtocol Protocol)> ConnectAsync(EventLoop loop, int port, TlsClientOptions? tls = null) =>
        loop.CreateConnectionAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, port), new ConnectionOptions { Tls = tls ?? TlsParties.Client() });
}
