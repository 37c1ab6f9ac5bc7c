using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Testing.Kits;

/// <summary>
/// Both sides of TLS for tests: a certificate authority and what it has signed, made in memory once for each process. Immutable; any thread.
/// </summary>
internal sealed class TestTls
{
    public const string HostName = "localhost";

    private static readonly DateTimeOffset Begin = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset End = new(2099, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private TestTls()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Sluice tests", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        Authority = request.CreateSelfSigned(Begin, End);
        ServerCertificate = Issue(HostName, "1.3.6.1.5.5.7.3.1");
        ClientCertificate = Issue("client", "1.3.6.1.5.5.7.3.2");
        Server = new TlsServerOptions(new SslServerAuthenticationOptions { ServerCertificate = ServerCertificate });
        Client = new TlsClientOptions(ClientAuthentication());
    }

    public static TestTls Default { get; } = new();

    public X509Certificate2 Authority { get; }

    public X509Certificate2 ServerCertificate { get; }

    public X509Certificate2 ClientCertificate { get; }

    public TlsServerOptions Server { get; }

    public TlsClientOptions Client { get; }

    /// <summary>A client that trusts the authority, and nobody else.</summary>
    public SslClientAuthenticationOptions ClientAuthentication(string? host = HostName) => new() { TargetHost = host, CertificateChainPolicy = Trust() };

    /// <summary>A server that demands a certificate of the authority.</summary>
    public SslServerAuthenticationOptions DemandingServer() => new()
    {
        ServerCertificate = ServerCertificate,
        ClientCertificateRequired = true,
        CertificateChainPolicy = Trust(),
    };

    public X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.Add(Authority);
        return policy;
    }

    /// <summary>A certificate of the authority for a name, with its key.</summary>
    public X509Certificate2 Issue(string name, string usage)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        if (name == HostName)
        {
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        using var signed = request.Create(Authority, Begin, End, RandomNumberGenerator.GetBytes(8));
        return signed.CopyWithPrivateKey(key);
    }
}
