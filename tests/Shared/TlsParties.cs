using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.Tests.Shared;

/// <summary>An authority, and below it a server "localhost" and a client: the options that most tests of TLS need. Made once in a process.</summary>
internal static class TlsParties
{
    public const string Host = "localhost";

    public static Authority Root { get; } = Authority.CreateRoot("Sluice Test Root");

    public static X509Certificate2 ServerCertificate { get; } = Root.Issue(new CertificatePlan());

    public static X509Certificate2 ClientCertificate { get; } = Root.Issue(CertificatePlan.Client);

    /// <summary>A policy that trusts the authority and nobody else. A new object: SslStream may change it.</summary>
    public static X509ChainPolicy TrustRoot()
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.Add(Root.Certificate);
        return policy;
    }

    /// <summary>A client that trusts the authority and asks for "localhost".</summary>
    /// <param name="protocols">The versions; none is the default.</param>
    /// <param name="certificate">Its own certificate, if it has one.</param>
    /// <param name="chain">What is sent along with it.</param>
    /// <param name="resumes">Goes on with earlier sessions.</param>
    public static SslClientAuthenticationOptions ClientAuthentication(
        SslProtocols protocols = SslProtocols.None, X509Certificate2? certificate = null, X509Certificate2Collection? chain = null, bool resumes = false) => new()
        {
            TargetHost = Host,
            EnabledSslProtocols = protocols,
            CertificateChainPolicy = TrustRoot(),
            ClientCertificateContext = certificate is null ? null : SslStreamCertificateContext.Create(certificate, chain, offline: true),
            AllowTlsResume = resumes,
        };

    /// <summary>A server.</summary>
    /// <param name="protocols">The versions; none is the default.</param>
    /// <param name="certificate">Its certificate; null is <see cref="ServerCertificate"/>.</param>
    /// <param name="chain">What is sent along with it.</param>
    /// <param name="requires">Asks for a client certificate of the authority.</param>
    /// <param name="resumes">Goes on with earlier sessions.</param>
    public static SslServerAuthenticationOptions ServerAuthentication(
        SslProtocols protocols = SslProtocols.None,
        X509Certificate2? certificate = null,
        X509Certificate2Collection? chain = null,
        bool requires = false,
        bool resumes = false) => new()
        {
            ServerCertificateContext = SslStreamCertificateContext.Create(certificate ?? ServerCertificate, chain, offline: true),
            EnabledSslProtocols = protocols,
            ClientCertificateRequired = requires,
            CertificateChainPolicy = TrustRoot(),
            AllowTlsResume = resumes,
        };

    /// <inheritdoc cref="ClientAuthentication"/>
    public static TlsClientOptions Client(SslProtocols protocols = SslProtocols.None, X509Certificate2? certificate = null) =>
        new(ClientAuthentication(protocols, certificate));

    /// <inheritdoc cref="ServerAuthentication"/>
    public static TlsServerOptions Server(SslProtocols protocols = SslProtocols.None, bool requires = false) =>
        new(ServerAuthentication(protocols, requires: requires));
}
