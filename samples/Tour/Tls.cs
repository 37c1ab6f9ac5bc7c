using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Sluice;

namespace Tour;

/// <summary>The same echo over TLS: the protocols are those of plain connections, and hear nothing before the handshake has succeeded.</summary>
internal static class Tls
{
    public static async Task<bool> RunAsync(EventLoop loop)
    {
        const string Message = "Hello TLS!";
        var transcript = new Transcript("10. TLS: only the options differ");
        using var certificate = MakeCertificate();
        var server = await loop.CreateServerAsync(
            () => new TcpEcho.EchoAndClose(transcript), new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = ForServer(certificate) });

        var connectionLost = loop.CreateFuture();
        var (transport, client) = await loop.CreateConnectionAsync(
            () => new Client(transcript, Message, connectionLost), server.EndPoints[0], new ConnectionOptions { Tls = ForClient(certificate) });
        await connectionLost.Task;
        await server.DisposeAsync();

        // What TLS agreed on is still told when the connection is over.
        var cipher = transport.GetExtraInfo(ExtraInfo.Cipher);
        var isRight = client.Received == Message && cipher is not null
            && transcript.Saw("server", "ConnectionMade", "DataReceived", "ConnectionLost")
            && transcript.Saw("client", "ConnectionMade", "DataReceived", "EofReceived", "ConnectionLost");
        return transcript.Conclude(isRight, $"the message went and came back protected by {cipher?.Protocol}");
    }

    /// <summary>The options of a server that shows a certificate.</summary>
    public static TlsServerOptions ForServer(X509Certificate2 certificate) =>
        new(new SslServerAuthenticationOptions { ServerCertificate = certificate });

    /// <summary>The options of a client that trusts this certificate and no other.</summary>
    public static TlsClientOptions ForClient(X509Certificate2 certificate) => new(new SslClientAuthenticationOptions
    {
        TargetHost = "localhost",
        CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { certificate },
            RevocationMode = X509RevocationMode.NoCheck,
        },
    });

    /// <summary>A certificate that lives in memory for an hour.</summary>
    public static X509Certificate2 MakeCertificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
    }
}
