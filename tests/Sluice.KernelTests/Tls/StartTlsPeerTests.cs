using System.Net;
using System.Text;
using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Tls.Kit;
using Sluice.Testing;

namespace Sluice.KernelTests.Tls;

/// <summary>Upgrades to TLS in mid-stream against OpenSSL's SMTP client and CPython, in both roles.</summary>
public sealed class StartTlsPeerTests : IDisposable
{
    private const string Script = "tls_peer.py";

    private readonly PemFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Theory, Case("STARTTLS-001", "STARTTLS-004", "BUG-053")]
    [InlineData("-tls1_2")]
    [InlineData("-tls1_3")]
    public void S_client_upgrades_an_SMTP_session_of_ours(string version) => PeerRun.OnLoop(async loop =>
    {
        var mail = new SmtpGreeter(loop);
        var server = await loop.CreateServerAsync(() => mail.Protocol, new IPEndPoint(IPAddress.Loopback, 0));
        using var client = PeerProcess.Start(
            "openssl",
            "s_client", "-connect", $"127.0.0.1:{((IPEndPoint)server.EndPoints[0]).Port}", "-starttls", "smtp", "-quiet", "-no_ign_eof", version,
            "-CAfile", _files.Root, "-verify_return_error", "-verify_hostname", TlsParties.Host);

        var secured = await mail.Upgraded;
        await client.Input.WriteLineAsync("NOOP");
        await client.Input.FlushAsync();
        await OpenSsl.ReadUntilAsync(client, "250 secured");
        client.Input.Close();

        await client.ReadToEndAsync();
        Assert.Null(await mail.Protocol.Lost);
        Assert.NotNull(secured.GetExtraInfo(ExtraInfo.Cipher));
        Assert.Equal(1, mail.Protocol.Trace.Count(static line => line == "ConnectionMade"));
        Assert.Equal("EofReceived", mail.Protocol.Trace[^2]);
        Assert.Empty(mail.Protocol.Violations);
        server.Close();
    });

    [Theory, Case("STARTTLS-001", "STARTTLS-004")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void An_asyncio_client_upgrades_and_gets_its_mebibyte_back(string version) => PeerRun.OnLoop(async loop =>
    {
        var server = new RecordingProtocol();
        var plain = 0;
        ITransport? secured = null;
        server.OnData = data =>
        {
            if (secured is not null)
            {
                secured.Write(data);
                return;
            }

            plain += data.Length;
            if (!server.Received.SequenceEqual("upgrade\n"u8)) return;
            _ = UpgradeAsync();
        };
        async Task UpgradeAsync()
        {
            server.Transport.Write("ready\n"u8);
            secured = await loop.StartTlsAsync(server.Transport, server, TlsParties.Server());
        }

        var output = await PeerRun.ServeAsync(loop, server, port => PeerProcess.Python(Script, "connect", "upgrade", _files.Path, version, $"{port}"));

        Assert.Equal($"answer ready\n{PeerRun.Received(PeerRun.Mebibyte)}", output);
        Assert.Equal("upgrade\n".Length, plain);
        Assert.Null(await server.Lost);
    });

    [Theory, Case("STARTTLS-001", "STARTTLS-004")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void An_asyncio_server_is_upgraded_and_sends_our_mebibyte_back(string version) => PeerRun.OnLoop(async loop =>
    {
        using var peer = PeerProcess.Python(Script, "serve", "upgrade", _files.Path, version);
        var port = await peer.ReadPortAsync();
        var (plain, client) = await loop.CreateConnectionAsync(static () => new RecordingProtocol(), new IPEndPoint(IPAddress.Loopback, port));
        plain.Write("upgrade\n"u8);
        await client.WaitForBytesAsync(6);
        Assert.Equal("ready\n", Encoding.ASCII.GetString(client.Received));

        var secured = await loop.StartTlsAsync(plain, client, TlsParties.Client());
        secured.Write(PeerRun.Mebibyte);
        await client.WaitForBytesAsync(6 + PeerRun.Mebibyte.Length);
        Assert.Equal(PeerRun.Mebibyte, client.Received[6..].ToArray());
        secured.Close();

        Assert.Null(await client.Lost);
        Assert.Equal("asked upgrade", await peer.ReadToEndAsync());
        Assert.Empty(client.Violations);
    });
}
