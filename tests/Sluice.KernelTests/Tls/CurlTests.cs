using Sluice.KernelTests.Peers;
using Sluice.KernelTests.Tls.Kit;

namespace Sluice.KernelTests.Tls;

/// <summary>Our TLS server against curl.</summary>
public sealed class CurlTests : IDisposable
{
    private const int PeerFailedVerification = 60;

    private readonly PemFolder _files = new();

    public void Dispose() => _files.Dispose();

    [Theory, Case("TLS-001", "TLS-007", "TLS-029")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void Curl_gets_its_page_from_a_server_that_it_trusts(string version) => PeerRun.OnLoop(async loop =>
    {
        var served = await Served.StartAsync(loop, TlsParties.Server(), HttpAnswer.Create);
        using var curl = Start(served.Port, version, "--cacert", _files.Root);

        Assert.Equal(HttpAnswer.Body, await curl.ReadToEndAsync());
        await served.EndAsync();
        Assert.Null(await Assert.Single(served.Protocols).Lost);
    });

    [Theory, Case("TLS-005", "TLS-018")]
    [InlineData("1.2")]
    [InlineData("1.3")]
    public void Curl_refuses_a_server_that_it_does_not_trust_and_the_server_hears_of_no_connection(string version) => PeerRun.OnLoop(async loop =>
    {
        var served = await Served.StartAsync(loop, TlsParties.Server(), HttpAnswer.Create);
        using (var distrusting = Start(served.Port, version))
        {
            Assert.Equal(PeerFailedVerification, await distrusting.ExitAsync());
        }

        using var trusting = Start(served.Port, version, "--cacert", _files.Root);
        Assert.Equal(HttpAnswer.Body, await trusting.ReadToEndAsync());
        await served.EndAsync();
        Assert.Single(served.Protocols);
    });

    private static PeerProcess Start(int port, string version, params IEnumerable<string> more) => PeerProcess.Start(
        "curl", ["--silent", "--noproxy", "*", "--max-time", "20", $"--tlsv{version}", "--tls-max", version, "--resolve", $"localhost:{port}:127.0.0.1", .. more, $"https://localhost:{port}/"]);
}
