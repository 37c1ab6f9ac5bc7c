using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Sluice.EchoServer;

/// <summary>What the server shows its TLS clients: the user's certificate, or one for localhost that lives as long as the program.</summary>
internal static class Certificates
{
    public static TlsServerOptions Load(string? file) => new(new SslServerAuthenticationOptions
    {
        ServerCertificate = file is null ? Make() : X509CertificateLoader.LoadPkcs12FromFile(file, null),
    });

    private static X509Certificate2 Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddDays(1));
    }
}
