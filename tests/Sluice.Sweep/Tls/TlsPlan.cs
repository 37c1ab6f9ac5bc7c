using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sluice.Testing.Kernel;

namespace Sluice.Sweep.Tls;

/// <summary>Which connections of a world are TLS, and with what deadlines. Made once per world that has any.</summary>
internal sealed class TlsPlan
{
    private static readonly TimeSpan[] Deadlines = [TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(8)];

    // Keys and signatures of RSA have one length each, and sessions are not resumed: so the sizes of all that travels repeat under a seed. Each set of options is made once:
    // what .NET prepares for it is dear.
    private static readonly TlsServerOptions[] Servers;
    private static readonly TlsClientOptions[] Clients;

    private readonly KernelDice _dice;

    static TlsPlan()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=sweep", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("sweep");
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2099, 1, 1, 0, 0, 0, TimeSpan.Zero));
        var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        trust.CustomTrustStore.Add(certificate);
        Servers = [.. Deadlines.Select(deadline => new TlsServerOptions(new SslServerAuthenticationOptions { ServerCertificate = certificate, AllowTlsResume = false })
        {
            HandshakeTimeout = deadline,
            ShutdownTimeout = deadline,
        })];
        Clients = [.. Deadlines.Select(deadline => new TlsClientOptions(
            new SslClientAuthenticationOptions { TargetHost = "sweep", CertificateChainPolicy = trust, AllowTlsResume = false })
        {
            HandshakeTimeout = deadline,
            ShutdownTimeout = deadline,
        })];
    }

    public TlsPlan(KernelDice dice)
    {
        _dice = dice;
        Server = Servers[Math.Max(1, dice.Below(3))];
        Client = Clients[Math.Max(1, dice.Below(3))];
        if (!dice.Chance(0.2)) return;
        Server = Servers[0];
        Client = Clients[dice.Below(3)];
    }

    public TlsServerOptions Server { get; }

    public TlsClientOptions Client { get; }

    /// <summary>What the connections of one server are.</summary>
    public Security Draw() => _dice.Chance(0.15) ? Security.None : _dice.Chance(0.3) ? Security.StartTls : Security.Tls;
}
