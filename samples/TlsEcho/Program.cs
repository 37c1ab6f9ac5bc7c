// An echo over TLS, both ends in one program: the certificate is made in memory and trusted by name, so nothing has to be installed.
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Sluice;

using var certificate = MakeCertificate("localhost");
var serverTls = new TlsServerOptions(new SslServerAuthenticationOptions { ServerCertificate = certificate });
var clientTls = new TlsClientOptions(new SslClientAuthenticationOptions { TargetHost = "localhost", CertificateChainPolicy = Trust(certificate) });

EventLoop.Run(async loop =>
{
    var server = await loop.CreateServerAsync(() => new Echo(), new IPEndPoint(IPAddress.Loopback, 0), new ServerOptions { Tls = serverTls });
    var lost = new TaskCompletionSource();
    await loop.CreateConnectionAsync(() => new Client("Hello, TLS!", lost), server.EndPoints[0], new ConnectionOptions { Tls = clientTls });
    await lost.Task;
    await server.DisposeAsync();
});

static X509Certificate2 MakeCertificate(string name)
{
    using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
    var names = new SubjectAlternativeNameBuilder();
    names.AddDnsName(name);
    request.CertificateExtensions.Add(names.Build());
    return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddHours(1));
}

static X509ChainPolicy Trust(X509Certificate2 root) =>
    new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { root }, RevocationMode = X509RevocationMode.NoCheck };

internal sealed class Echo : Protocol
{
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport) => _transport = transport;

    public override void DataReceived(ReadOnlySpan<byte> data) => _transport!.Write(data);
}

internal sealed class Client(string message, TaskCompletionSource lost) : Protocol
{
    private ITransport? _transport;

    public override void ConnectionMade(ITransport transport)
    {
        _transport = transport;
        var cipher = transport.GetExtraInfo(ExtraInfo.Cipher)!;
        Console.WriteLine($"Protected by {cipher.Protocol}, shown {transport.GetExtraInfo(ExtraInfo.PeerCertificate)!.Subject}");
        transport.Write(Encoding.UTF8.GetBytes(message));
    }

    public override void DataReceived(ReadOnlySpan<byte> data)
    {
        Console.WriteLine($"Data received: {Encoding.UTF8.GetString(data)}");
        _transport!.Close();
    }

    public override void ConnectionLost(Exception? exception)
    {
        Console.WriteLine(exception is null ? "Closed in order" : $"Lost: {exception.Message}");
        lost.SetResult();
    }
}
