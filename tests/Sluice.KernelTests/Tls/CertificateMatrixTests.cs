using System.Net.Security;
using System.Security.Authentication;
using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Tls.Kit;

namespace Sluice.KernelTests.Tls;

/// <summary>Each row of the certificate matrix, between our client and our server, and between ours and OpenSSL's.</summary>
public sealed class CertificateMatrixTests
{
    public static TheoryData<string, SslProtocols> ShownByOurServer => RowsOf(CertificateMatrix.Servers.Where(static row => !row.IsTooWeakToShow));

    public static TheoryData<string, SslProtocols> ShownByOurClient => RowsOf(CertificateMatrix.Clients.Where(static row => !row.IsTooWeakToShow));

    public static TheoryData<string> ShownByAnyServer => [.. CertificateMatrix.Servers.Select(static row => row.Name)];

    public static TheoryData<string> ShownByAnyClient => [.. CertificateMatrix.Clients.Select(static row => row.Name)];

    [Theory, Case("TLS-005", "TLS-006", "TLS-007")]
    [MemberData(nameof(ShownByOurServer))]
    public void Our_client_judges_our_server(string name, SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        var row = CertificateMatrix.Servers.Single(row => row.Name == name);
        var served = await Served.StartAsync(loop, Server(row, version));

        var client = await JudgeAsync(loop, row, served.Port, version);

        await client.EndAsync();
        await served.EndAsync();
        if (row.IsAccepted) Assert.Single(served.Protocols);

        // In TLS 1.2 the server has finished its handshake before SslStream judges its certificate: it sees a connection that ends.
        else if (version == SslProtocols.Tls13) Assert.Empty(served.Protocols);
        else Assert.All(served.Protocols, static protocol => Assert.Equal(0, protocol.Received.Length));
    });

    [Theory, Case("TLS-005", "TLS-006", "TLS-007")]
    [MemberData(nameof(ShownByAnyServer))]
    public void Our_client_judges_the_server_of_OpenSSL(string name) => PeerRun.OnLoop(async loop =>
    {
        using var files = new PemFolder();
        var row = CertificateMatrix.Servers.Single(row => row.Name == name);
        var certificate = files.Write("shown.pem", row.Shown.Leaf!);
        var chain = files.WriteChain("chain.pem", row.Shown.Chain);
        var (server, port) = await OpenSsl.ServeAsync(certificate, SslProtocols.Tls13, ["-rev", "-cipher", "DEFAULT@SECLEVEL=0", .. chain is null ? [] : new[] { "-cert_chain", chain }]);
        using var peer = server;

        var client = await JudgeAsync(loop, row, port, SslProtocols.Tls13);

        await client.EndAsync();
    });

    [Fact, Case("TLS-005")]
    public void A_validation_callback_is_told_of_weakness_and_has_the_last_word() => PeerRun.OnLoop(async loop =>
    {
        using var files = new PemFolder();
        var weak = files.Write("shown.pem", CertificateMatrix.Servers.Single(static row => row.Name == "weak key").Shown.Leaf!);
        var (server, port) = await OpenSsl.ServeAsync(weak, SslProtocols.Tls13, "-rev", "-cipher", "DEFAULT@SECLEVEL=0");
        using var peer = server;
        var told = SslPolicyErrors.None;
        var authentication = TlsParties.ClientAuthentication();
        authentication.RemoteCertificateValidationCallback = (_, _, _, errors) =>
        {
            told = errors;
            return errors == SslPolicyErrors.RemoteCertificateChainErrors;
        };

        var client = await Asker.ConnectAsync(loop, port, new TlsClientOptions(authentication));

        await client.EndAsync();
        Assert.Null(client.Failure);
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, told);
    });

    [Theory, Case("TLS-005", "TLS-006", "TLS-018")]
    [MemberData(nameof(ShownByOurServer))]
    public void The_client_of_OpenSSL_judges_our_server(string name, SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        using var files = new PemFolder();
        var row = CertificateMatrix.Servers.Single(row => row.Name == name);
        var served = await Served.StartAsync(loop, Server(row, version));
        using var client = OpenSsl.ConnectTo(row.Host, served.Port, files, version, "-purpose", "sslserver");

        if (row.IsAccepted)
        {
            await client.Input.WriteLineAsync("hello");
            await client.Input.FlushAsync();
            Assert.Equal("hello", await client.ReadLineAsync());
            client.Input.Close();
            await client.ReadToEndAsync();
        }
        else
        {
            Assert.NotEqual(0, await client.ExitAsync());
        }

        await served.EndAsync();
        Assert.Equal(row.IsAccepted ? 1 : 0, served.Protocols.Count);
    });

    [Theory, Case("TLS-005", "TLS-009", "TLS-018")]
    [MemberData(nameof(ShownByOurClient))]
    public void Our_server_judges_our_client(string name, SslProtocols version) => PeerRun.OnLoop(async loop =>
    {
        var row = CertificateMatrix.Clients.Single(row => row.Name == name);
        var served = await Served.StartAsync(loop, TlsParties.Server(version, requires: true));
        var client = await Asker.ConnectAsync(loop, served.Port, new TlsClientOptions(TlsParties.ClientAuthentication(version, row.Shown.Leaf, row.Shown.Chain)));

        await client.EndAsync();

        await served.EndAsync();
        Assert.Equal(row.IsAccepted, client.WasAnswered);
        Assert.Equal(row.IsAccepted ? 1 : 0, served.Protocols.Count);
    });

    [Theory, Case("TLS-005", "TLS-009", "TLS-018")]
    [MemberData(nameof(ShownByAnyClient))]
    public void Our_server_judges_the_client_of_OpenSSL(string name) => PeerRun.OnLoop(async loop =>
    {
        using var files = new PemFolder();
        var row = CertificateMatrix.Clients.Single(row => row.Name == name);
        var served = await Served.StartAsync(loop, TlsParties.Server(SslProtocols.Tls13, requires: true));
        string[] shown = row.Shown.Leaf is { } leaf ? ["-cert", files.Write("shown.pem", leaf), "-key", files.PathOf("shown.pem")] : [];
        string[] chain = files.WriteChain("chain.pem", row.Shown.Chain) is { } path ? ["-cert_chain", path] : [];
        using var client = OpenSsl.Connect(served.Port, files, SslProtocols.Tls13, [.. shown, .. chain, "-cipher", "DEFAULT@SECLEVEL=0"]);
        await client.Input.WriteLineAsync("hello");
        await client.Input.FlushAsync();

        if (row.IsAccepted)
        {
            Assert.Equal("hello", await client.ReadLineAsync());
            client.Input.Close();
            await client.ReadToEndAsync();
        }
        else
        {
            await client.ExitAsync();
        }

        await served.EndAsync();
        Assert.Equal(row.IsAccepted ? 1 : 0, served.Protocols.Count);
    });

    private static TlsServerOptions Server(CertificateRow row, SslProtocols version) =>
        new(TlsParties.ServerAuthentication(version, row.Shown.Leaf, row.Shown.Chain));

    /// <summary>Connects our client and verifies its verdict.</summary>
    private static async Task<Asker> JudgeAsync(EventLoop loop, CertificateRow row, int port, SslProtocols version)
    {
        var authentication = TlsParties.ClientAuthentication(version);
        authentication.TargetHost = row.Host;
        var client = await Asker.ConnectAsync(loop, port, new TlsClientOptions(authentication));
        if (row.IsAccepted)
        {
            Assert.Null(client.Failure);
        }
        else
        {
            var refusal = Assert.IsType<AuthenticationException>(client.Failure);
            Assert.Contains(row.Verdict, refusal.Message, StringComparison.Ordinal);
            Assert.Empty(client.Protocol.Trace);
        }

        return client;
    }

    private static TheoryData<string, SslProtocols> RowsOf(IEnumerable<CertificateRow> rows)
    {
        var data = new TheoryData<string, SslProtocols>();
        foreach (var row in rows)
        {
            data.Add(row.Name, SslProtocols.Tls12);
            data.Add(row.Name, SslProtocols.Tls13);
        }

        return data;
    }
}
